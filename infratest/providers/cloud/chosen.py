"""Image and size of each host, asked of the cloud once for all hosts that want the same."""

from __future__ import annotations

import threading

from infratest.deadline import Deadline
from infratest.providers.base import HostSpec
from infratest.providers.cloud import choice, options
from infratest.providers.cloud.account import Account, CallFailed
from infratest.providers.cloud.drivers.base import Image, Size
from infratest.providers.cloud.options import of_host


class Chosen:
    """What the hosts of one `up` are made of; the first that wants a thing has it looked up, the others wait."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._lock = threading.Lock()
        self._images: dict[tuple[str, str], Image] = {}
        self._sizes: list[Size] | None = None

    def of(self, spec: HostSpec, deadline: Deadline) -> tuple[Image, Size]:
        """Return image and size of a host.

        Raises:
            UserError: the cloud has none such; the nearest names are shown.
        """
        with self._lock:
            image = self._image(spec, deadline)
            return image, self._size(spec, image, deadline)

    def _size(self, spec: HostSpec, image: Image, deadline: Deadline) -> Size:
        own, (cpus, memory) = of_host(spec), options.needs(spec)
        if self._sizes is None:
            self._sizes = self._account.call("listing sizes", self._account.driver.sizes, deadline)
        if own.size and isinstance(own.size, str):
            return choice.named(self._sizes, own.size, options.at(spec, "size"))
        size = choice.cheapest(self._sizes, cpus, memory, image.architecture)
        if size is None:
            raise choice.no_size(options.at(spec), cpus, memory, self._sizes)
        return size

    def _image(self, spec: HostSpec, deadline: Deadline) -> Image:
        own, driver, call = of_host(spec), self._account.driver, self._account.call
        wanted, owner = own.image or options.IMAGE, own.owner
        if (wanted, owner) in self._images:
            return self._images[wanted, owner]
        image = None
        try:
            found = call("listing images", lambda lib: driver.images(lib, wanted, owner), deadline)
            image = choice.newest(found, wanted)
        except CallFailed as error:
            if not error.failure.gone:
                raise
        if image is None:
            known = call("listing images", lambda lib: driver.nearest_images(lib, owner), deadline)
            raise choice.no_image(options.at(spec, "image"), wanted, known, owner)
        self._images[wanted, owner] = image
        return image

"""Image and size of each host, asked of the cloud once for all hosts that want the same."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from datetime import UTC, datetime

from infratest.deadline import Deadline
from infratest.errors import UserError
from infratest.providers._choices import Choice
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

    def choices(self, specs: Sequence[HostSpec], deadline: Deadline) -> list[Choice]:
        """Return what each of the hosts would be made of, or why that cannot be. Raises: nobody could be asked."""
        with self._lock:
            self._all_sizes(deadline)  # what stands in every host's way, as a wrong password, is no host's problem
        return [self._choice(spec, deadline) for spec in specs]

    def _choice(self, spec: HostSpec, deadline: Deadline) -> Choice:
        try:
            image, size = self.of(spec, deadline)
        except UserError as error:
            return Choice(host=spec.name, problem=str(error))
        return Choice(
            host=spec.name, image=image.name, image_id=image.id, size=size.name, cpus=size.cpus or 0,
            memory=size.memory, disk=size.disk, price=size.price, currency=size.currency,
            reached=options.reached_by(spec).words,
        )  # fmt: skip

    def _size(self, spec: HostSpec, image: Image, deadline: Deadline) -> Size:
        own, (cpus, memory) = of_host(spec), options.needs(spec)
        sizes = self._all_sizes(deadline)
        if own.size and isinstance(own.size, str):
            return choice.named(sizes, own.size, options.at(spec, "size"), image.architecture)
        size = choice.cheapest(sizes, cpus, memory, image.architecture)
        if size is None:
            raise choice.no_size(options.at(spec), cpus, memory, sizes)
        return size

    def _all_sizes(self, deadline: Deadline) -> list[Size]:
        if self._sizes is None:
            self._sizes = self._account.call("listing sizes", self._account.driver.sizes, deadline)
        return self._sizes

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


def price_list() -> str:
    """Return whose prices a size has: they come with libcloud, which is no cloud's word, or from a file of the user."""
    import libcloud
    from libcloud.pricing import CUSTOM_PRICING_FILE_PATH, get_pricing_file_path

    place = get_pricing_file_path()
    own = f"{place} has it" if place == CUSTOM_PRICING_FILE_PATH else f"libcloud {libcloud.__version__} knows it"
    try:
        with open(place, encoding="utf-8") as file:
            updated = float(json.load(file)["updated"])
        return f"as {own}, of {datetime.fromtimestamp(updated, UTC):%Y-%m-%d}"
    except (OSError, ValueError, KeyError, TypeError):
        return f"as {own}, of an unknown date"

"""Sentences about what a host runs out of: room in file systems, memory, swap, processors."""

from __future__ import annotations

from infratest.checks.resources import (
    DiskFree,
    DiskInodes,
    DiskUsed,
    LoadAverage,
    MemoryAvailable,
    MemoryUsed,
    SwapUsed,
)
from infratest.gherkin.sentence import check


@check('the disk "{path}" is {bound:percent} full', example='the disk "/" is less than 90 % full, warning 80 %')
def disk_used(path: str) -> DiskUsed:
    """How full the file system mounted on this path is, as df counts."""
    return DiskUsed(path)


@check('the disk "{path}" has {bound:size} free', example='the disk "/" has at least 2 GiB free, warning 5 GiB')
def disk_free(path: str) -> DiskFree:
    """How much room the file system mounted on this path has for an unprivileged user."""
    return DiskFree(path)


@check('the disk "{path}" uses {bound:percent} of its inodes', example='the disk "/" uses less than 90 % of its inodes')
def disk_inodes(path: str) -> DiskInodes:
    """How many inodes of the file system mounted on this path are used."""
    return DiskInodes(path)


@check('the disk of "{path}" is {bound:percent} full', example='the disk of "/var/log" is less than 90 % full')
def disk_of_used(path: str) -> DiskUsed:
    """How full the file system is that holds this path, wherever it is mounted."""
    return DiskUsed(path, mounted=False)


@check('the disk of "{path}" has {bound:size} free', example='the disk of "/var/log" has at least 2 GiB free')
def disk_of_free(path: str) -> DiskFree:
    """How much room the file system that holds this path has, wherever it is mounted."""
    return DiskFree(path, mounted=False)


@check("the memory is {bound:percent} used", example="the memory is less than 90 % used, warning 80 %")
def memory_used() -> MemoryUsed:
    """How much of the memory that the host may use (in a container, its limit) is not available to a new program."""
    return MemoryUsed()


@check("the memory has {bound:size} available", example="the memory has at least 500 MiB available")
def memory_available() -> MemoryAvailable:
    """How much memory a new program can have without swapping, within what the host may use."""
    return MemoryAvailable()


@check("the swap is {bound:percent} used", example="the swap is less than 50 % used")
def swap_used() -> SwapUsed:
    """How much swap is used; a host without swap uses none."""
    return SwapUsed()


@check("the load is {bound:count}", example="the load is less than 4, warning 2")
def load() -> LoadAverage:
    """The load average over 1 minute."""
    return LoadAverage()


@check("the load over {minutes:number} min is {bound:count}", example="the load over 15 min is less than 4")
def load_over(minutes: int) -> LoadAverage:
    """The load average over 1, 5 or 15 minutes."""
    return LoadAverage(minutes)


@check("the load per processor is {bound:count}", example="the load per processor is less than 1.5")
def load_per_processor() -> LoadAverage:
    """The load average over 1 minute, divided by the number of processors."""
    return LoadAverage(shared=True)


@check(
    "the load per processor over {minutes:number} min is {bound:count}",
    example="the load per processor over 15 min is less than 1",
)
def load_per_processor_over(minutes: int) -> LoadAverage:
    """The load average over 1, 5 or 15 minutes, divided by the number of processors."""
    return LoadAverage(minutes, shared=True)

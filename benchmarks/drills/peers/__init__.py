"""The peers, a file each: `TITLE`, and `watching(host)`, which has one at work on a host until the block ends."""

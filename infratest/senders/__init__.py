"""Ways out: to which other monitoring tools a monitor sends what it sees, one file each."""

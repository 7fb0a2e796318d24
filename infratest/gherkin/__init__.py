"""Features in: parsing, lint, the sentences and their shared tail, and the runner that plain behave is pointed at."""

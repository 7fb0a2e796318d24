"""One call's stack, features and options: what every face starts from."""

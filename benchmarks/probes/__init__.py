"""Small programs that run inside the environments that are measured. Each is started by its path."""

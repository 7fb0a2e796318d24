"""What a fault costs until it is known and until it is mended: by infratest and by its peers. `./run drill`."""

"""The stack file, its graph, the life of its hosts, and the journal that lets nothing be lost."""

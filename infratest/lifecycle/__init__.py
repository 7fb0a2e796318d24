"""The life of a stack: made, provisioned, halted, removed; its journal and its lease."""

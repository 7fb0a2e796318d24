"""What a stack has beside its hosts: one file for each type, by the word that stands behind `type:`."""

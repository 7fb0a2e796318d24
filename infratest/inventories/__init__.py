"""Where people keep written down which hosts they have: one file for each kind of source, by the user's word."""

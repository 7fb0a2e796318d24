"""What happens after a failure: rules, gates, the ladder of remedies, verification, audit."""

"""What a monitor concludes: states that it remembers, when to look next, who is owed which notice. Pure, no clock."""

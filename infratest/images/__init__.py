"""What hosts are made from: recipes, the package sources they take over, and root file systems. For every provider."""

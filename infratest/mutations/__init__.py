"""Mutations: for what a sentence says, the fault that must turn it red. One file for each subject, by its word."""

"""Scenarios and hosts to tasks, and a plan kept from run to run."""

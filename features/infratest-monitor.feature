# The monitor of this stack runs, looks in time, remembers what it sees, and reaches whom it tells: a check of it for
# another monitoring system, by who runs it, or root, on its machine.
#   infratest check --env prod @infratest-monitor
# Inside the monitor it cannot say that it is dead: let somebody else look, or an `alive: {ping: URL}` be missed.
@check
Feature: The monitor watches

  Scenario: it runs
    Then the monitor is alive

  Scenario: it works
    Then the last cycle of the monitor is less than 60 s old, warning 30 s

  Scenario: it looks in time
    Then the monitor is less than 60 s late, warning 30 s
    And the monitor has less than 100 looks waiting, warning 50

  Scenario: it remembers
    Then the monitor keeps what it sees
    And the monitor keeps its store within its size

  Scenario: it tells
    Then the monitor reaches every receiver

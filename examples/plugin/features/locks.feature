Feature: no job has left its lock behind

  @heal:stale-lock
  Scenario: the backup's lock is not stale
    Then the lock file "/run/lock/backup.lock" is not stale

# Docker's daemon runs, answers root alone, and its containers have no more rights than they must: rules of CIS' benchmark
# for Docker that can be asked, in words of our own. On hosts without docker it is skipped. Asked as root:
#   infratest check --host node-1 @docker-host
# Each sentence has been seen red: `infratest mutate @docker-host`.
Feature: The docker host is in order

  Background:
    Given where the directory "/var/lib/docker" exists

  Scenario: it runs, and will after a boot
    Then the service "docker" is running
    And the service "docker" is enabled
    And the docker daemon answers

  Scenario: who may use it may do all, so that few may
    Then port 2375 is not listening
    And the file "/run/docker.sock" is owned by "root"
    And the file "/run/docker.sock" belongs to the group "docker"
    And the file "/run/docker.sock" has at most mode "0660"

  Scenario: containers outlive it, and their logs have an end
    Then the docker daemon has "LiveRestoreEnabled" equal to "true"
    And the docker daemon has "LoggingDriver" not equal to "none"
    And the file "/etc/docker/daemon.json" has "log-opts.max-size"

  Scenario: it does no more than it must
    Then the docker daemon has "ExperimentalBuild" equal to "false"
    And the docker daemon has "Debug" equal to "false"
    And the file "/etc/docker/daemon.json" has "userland-proxy" equal to "false"
    And the file "/etc/docker/daemon.json" has "no-new-privileges" equal to "true"

  Scenario: no container is root on the host
    Then no container is privileged
    And no container uses the network of the host
    And no container sees the processes of the host
    And no container has "/run/docker.sock" of the host mounted
    And no container has "/etc" of the host mounted

  Scenario: there is room for its containers
    Then the disk of "/var/lib/docker" is less than 90 % full, warning 80 %

  Scenario: what it does is root's to say
    Then the directory "/etc/docker" with all in it is owned by "root"
    And the directory "/etc/docker" with all in it has at most mode "0755"
    And the directory "/var/lib/docker" is owned by "root"
    And the directory "/var/lib/docker" has at most mode "0711"

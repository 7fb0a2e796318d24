# A host knows names: its loopback's, and whom to ask for all others.
#   infratest check --host local @dns
# Each sentence has been seen red: `infratest mutate @dns`.
Feature: The host resolves names

  Scenario: it knows itself
    Then the name "localhost" resolves to "127.0.0.1" from the host

  Scenario: it knows whom to ask
    Then the file "/etc/resolv.conf" has a line matching "^nameserver [0-9a-fA-F.:]+"
    And the file "/etc/resolv.conf" has at most mode "0644"
    And the file "/etc/nsswitch.conf" has a line matching "^hosts:.*(dns|resolve)"

  Scenario: its names are nobody else's to change
    Then the file "/etc/hosts" is owned by "root"
    And the file "/etc/hosts" has at most mode "0644"
    And the file "/etc/nsswitch.conf" is owned by "root"
    And the file "/etc/nsswitch.conf" has at most mode "0644"

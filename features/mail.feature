# Postfix takes mail for whom it must and for nobody else, by TLS, and what it took goes on. On hosts without it, skipped.
#   infratest check --host mail-1 @mail
# Each sentence has been seen red: `infratest mutate @mail`. Port 25 is asked from where infratest runs, which must not be
# in its `mynetworks`: whom it trusts it relays for.
Feature: The mail server is in order

  Background:
    Given where the file "/etc/postfix/main.cf" exists

  Scenario: it runs, and will after a boot
    # systemd's name of Postfix' first instance.
    Then the service "postfix@-" is running
    And the service "postfix" is enabled
    And the process "qmgr" is running
    And the process "qmgr" runs as "postfix"
    And port 25 is listening

  Scenario: it takes the mail that it must
    Then the mail server "smtp://{host.address}" answers
    And the mail server "smtp://{host.address}" accepts mail for "postmaster@localhost"
    And the file "/etc/aliases" has a line matching "^postmaster:"

  Scenario: it takes it by TLS
    Then the mail server "smtp://{host.address}" offers the extension "STARTTLS"
    And the certificate of "smtp://{host.address}:25" expires in at least 14 days, warning 21 days

  Scenario: it is of no use to strangers
    Then the mail server "smtp://{host.address}" does not relay for strangers
    # VRFY tells who has a mailbox.
    And the mail server "smtp://{host.address}" does not offer the extension "VRFY"

  Scenario: what it took goes on
    Then the mail queue has at most 200 messages, warning 100
    And the mail queue has at most 100 messages deferred
    # Postfix gives up, and tells the sender, after five days.
    And the oldest message in the mail queue is less than 3 days old
    And the disk of "/var/spool/postfix" is less than 90 % full, warning 80 %

  Scenario: what it does is root's to say
    Then the directory "/etc/postfix" with all in it is owned by "root"
    And the directory "/etc/postfix" with all in it has at most mode "0755"
    And the file "/etc/aliases" is owned by "root"
    And the file "/etc/aliases" has at most mode "0644"

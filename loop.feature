Feature: loop
  Scenario: n 0
    Then the file "/etc/passwd0" does not exist
  Scenario: n 1
    Then the file "/etc/passwd" contains "root:x:0:0"
  Scenario: n 2
    Then the user "nobody-2" does not exist
  Scenario: n 3
    Then the process "no-such-3" is not running
  Scenario: n 4
    Then port 5/udp is not listening at "192.0.2.1"
  Scenario: n 5
    Then the mount "/" exists
  Scenario: n 6
    Then the package "dpkg" is installed
  Scenario: n 7
    Then the load is less than 100000
  Scenario: n 8
    Then the file "/etc/passwd8" does not exist
  Scenario: n 9
    Then the file "/etc/passwd" contains "root:x:0:0"
  Scenario: n 10
    Then the user "nobody-10" does not exist
  Scenario: n 11
    Then the process "no-such-11" is not running
  Scenario: n 12
    Then port 13/udp is not listening at "192.0.2.1"
  Scenario: n 13
    Then the mount "/" exists
  Scenario: n 14
    Then the package "dpkg" is installed
  Scenario: n 15
    Then the load is less than 100000
  Scenario: n 16
    Then the file "/etc/passwd16" does not exist
  Scenario: n 17
    Then the file "/etc/passwd" contains "root:x:0:0"
  Scenario: n 18
    Then the user "nobody-18" does not exist
  Scenario: n 19
    Then the process "no-such-19" is not running
  Scenario: n 20
    Then port 21/udp is not listening at "192.0.2.1"
  Scenario: n 21
    Then the mount "/" exists
  Scenario: n 22
    Then the package "dpkg" is installed
  Scenario: n 23
    Then the load is less than 100000
  Scenario: n 24
    Then the file "/etc/passwd24" does not exist
  Scenario: n 25
    Then the file "/etc/passwd" contains "root:x:0:0"
  Scenario: n 26
    Then the user "nobody-26" does not exist
  Scenario: n 27
    Then the process "no-such-27" is not running
  Scenario: n 28
    Then port 29/udp is not listening at "192.0.2.1"
  Scenario: n 29
    Then the mount "/" exists
  Scenario: n 30
    Then the package "dpkg" is installed
  Scenario: n 31
    Then the load is less than 100000
  Scenario: n 32
    Then the file "/etc/passwd32" does not exist
  Scenario: n 33
    Then the file "/etc/passwd" contains "root:x:0:0"
  Scenario: n 34
    Then the user "nobody-34" does not exist
  Scenario: n 35
    Then the process "no-such-35" is not running
  Scenario: n 36
    Then port 37/udp is not listening at "192.0.2.1"
  Scenario: n 37
    Then the mount "/" exists
  Scenario: n 38
    Then the package "dpkg" is installed
  Scenario: n 39
    Then the load is less than 100000
  Scenario: n 40
    Then the file "/etc/passwd40" does not exist
  Scenario: n 41
    Then the file "/etc/passwd" contains "root:x:0:0"
  Scenario: n 42
    Then the user "nobody-42" does not exist
  Scenario: n 43
    Then the process "no-such-43" is not running
  Scenario: n 44
    Then port 45/udp is not listening at "192.0.2.1"
  Scenario: n 45
    Then the mount "/" exists
  Scenario: n 46
    Then the package "dpkg" is installed
  Scenario: n 47
    Then the load is less than 100000
  Scenario: n 48
    Then the file "/etc/passwd48" does not exist
  Scenario: n 49
    Then the file "/etc/passwd" contains "root:x:0:0"
  Scenario: n 50
    Then the user "nobody-50" does not exist
  Scenario: n 51
    Then the process "no-such-51" is not running
  Scenario: n 52
    Then port 53/udp is not listening at "192.0.2.1"
  Scenario: n 53
    Then the mount "/" exists
  Scenario: n 54
    Then the package "dpkg" is installed
  Scenario: n 55
    Then the load is less than 100000
  Scenario: n 56
    Then the file "/etc/passwd56" does not exist
  Scenario: n 57
    Then the file "/etc/passwd" contains "root:x:0:0"
  Scenario: n 58
    Then the user "nobody-58" does not exist
  Scenario: n 59
    Then the process "no-such-59" is not running
  Scenario: n 60
    Then port 61/udp is not listening at "192.0.2.1"
  Scenario: n 61
    Then the mount "/" exists
  Scenario: n 62
    Then the package "dpkg" is installed
  Scenario: n 63
    Then the load is less than 100000
  Scenario: n 64
    Then the file "/etc/passwd64" does not exist
  Scenario: n 65
    Then the file "/etc/passwd" contains "root:x:0:0"
  Scenario: n 66
    Then the user "nobody-66" does not exist
  Scenario: n 67
    Then the process "no-such-67" is not running
  Scenario: n 68
    Then port 69/udp is not listening at "192.0.2.1"
  Scenario: n 69
    Then the mount "/" exists
  Scenario: n 70
    Then the package "dpkg" is installed
  Scenario: n 71
    Then the load is less than 100000
  Scenario: n 72
    Then the file "/etc/passwd72" does not exist
  Scenario: n 73
    Then the file "/etc/passwd" contains "root:x:0:0"
  Scenario: n 74
    Then the user "nobody-74" does not exist
  Scenario: n 75
    Then the process "no-such-75" is not running
  Scenario: n 76
    Then port 77/udp is not listening at "192.0.2.1"
  Scenario: n 77
    Then the mount "/" exists
  Scenario: n 78
    Then the package "dpkg" is installed
  Scenario: n 79
    Then the load is less than 100000

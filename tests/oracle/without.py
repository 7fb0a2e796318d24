"""The forms of sentences that have no oracle yet, and why. A form that has one by now must not stand here."""

from __future__ import annotations

from infratest.gherkin.vocabulary import vocabulary

HOSTS = "it compares hosts, and the oracle has one: tests/steps/test_comparison.py and test_clocks.py have several"
COMPARING = (
    'the file "{path}" is the same on all hosts',
    'the file "{path}" is different on all hosts',
    'the package "{name}" has the same version on all hosts',
    'the sysctl "{name}" is the same on all hosts',
    "the kernel has the same version on all hosts",
    "the distribution is the same on all hosts",
    'the command "{command}" prints the same on all hosts',
    'the command "{command}" prints something different on all hosts',
    "the clocks are {bound:time} apart",
)

#: The kernel of the machine that this was made on has no bonding driver (CONFIG_BONDING): cases say what is right.
BONDS = "never seen for real: no kernel with bonds was at hand"
BONDED = (
    'the bond "{name}" exists',
    'the bond "{name}" does not exist',
    'the bond "{name}" has the mode "{mode}"',
    'the bond "{name}" does not have the mode "{mode}"',
    'the bond "{name}" has the interface "{member}"',
    'the bond "{name}" does not have the interface "{member}"',
    'the bond "{name}" has {bound:count} interfaces up',
)

#: What they ask hangs on the run before, of which the oracle's ways in have none.
LAST_RUN = "asked in runs one after the other, of a real journal: tests/oracle/test_last_run.py"
SINCE = [
    f'the journal{of} since the last run[ with priority "{{priority}}" or worse] has {what}[ matching "{{pattern}}"]'
    for of in ("", ' of "{unit}"')
    for what in ("no line", "a line", "{bound:count} line[s]")
]

LEVELS = "the oracle's machine runs systemd: asked on SysV init and OpenRC in tests/facts/test_other_inits.py"
RUN_LEVELS = [
    f'the service "{{name}}" is {n}enabled in {what}'
    for n in ("", "not ")
    for what in ('the run level "{level}"', 'exactly the run levels "{levels}"')
]

TREND = "it hangs on readings of days: tests/engine/test_trends.py has runs on a real disk after aged ones"
TRENDS = [
    f'the disk "{{path}}"[ over the last {{window:time}}] is {what} in {{bound:time}}'
    for what in ("full", "out of inodes")
]

CLOCK = "who keeps the clock is none of what the tests install: cases are recorded from chrony"
CLOCKS = (
    "the clock is synchronised",
    "the clock is not synchronised",
    "the clock is {bound:time} off",
    "the clock has a stratum of {bound:count}",
    "the clock has {bound:count} reachable source[s]",
)

MAIL_QUEUE = "the queue is Postfix' own of the machine: tests/facts/test_mail_queue.py has a real one, mutate fills it"
MAIL_QUEUES = (
    "the mail queue has {bound:count} message[s]",
    "the mail queue has {bound:count} message[s] deferred",
    "the oldest message in the mail queue is {bound:time} old",
)

SYSTEMS = "it is about all of the machine at once: tests/facts/test_file_system.py holds it against the kernel's word"
ALL_SYSTEMS = (
    "the fullest file system is {bound:percent} full",
    "the fullest file system uses {bound:percent} of its inodes",
    "a disk is mounted read-only",
    "no disk is mounted read-only",
    "every fstab entry is mounted",
    "not every fstab entry is mounted",
)

WITHOUT: dict[str, str] = {
    **dict.fromkeys(ALL_SYSTEMS, SYSTEMS),
    **dict.fromkeys(MAIL_QUEUES, MAIL_QUEUE),
    **dict.fromkeys(COMPARING, HOSTS),
    **dict.fromkeys(BONDED, BONDS),
    **dict.fromkeys(SINCE, LAST_RUN),
    **dict.fromkeys(TRENDS, TREND),
    **dict.fromkeys(CLOCKS, CLOCK),
    **dict.fromkeys(RUN_LEVELS, LEVELS),
}
WITHOUT |= dict.fromkeys(
    (
        "ufw is active",
        "ufw is not active",
        'ufw allows "{to}"',
        'ufw does not allow "{to}"',
        'ufw has the policy "{policy}" for {way:word} traffic',
        'ufw does not have the policy "{policy}" for {way:word} traffic',
    ),
    "ufw is none of what the tests install: cases are recorded from it",
)

STORED = "it is of a monitor's store: tests/monitor/test_stored.py holds figures of real ones against Python's own"
METRIC = 'the metric "{key}"'
WITHOUT |= dict.fromkeys(
    (
        f"{METRIC} has a value in the last {{window:time}}",
        f"{METRIC} has no value in the last {{window:time}}",
        f"{METRIC} over the last {{window:time}} rises {{bound:count}}",
        f"{METRIC} over the last {{window:time}} grows {{bound:size}}",
        *(
            f"{of}{METRIC} over the last {{window:time}} is {bound}"
            for of in ("", "the highest of ", "the lowest of ")
            for bound in ("{bound:count}", "{bound:time} long", "{bound:size} large")
        ),
        'the heartbeat "{name}" is on time',
        'the heartbeat "{name}" is not on time',
    ),
    STORED,
)
WITHOUT |= dict.fromkeys(
    (
        "the monitor is alive",
        "the monitor is not alive",
        "the last cycle of the monitor is {bound:time} old",
        "the monitor is {bound:time} late",
        "the monitor has {bound:count} look[s] waiting",
        "the monitor keeps what it sees",
        "the monitor does not keep what it sees",
        "the monitor keeps its store within its size",
        "the monitor does not keep its store within its size",
        "the monitor reaches every receiver",
        "the monitor does not reach every receiver",
    ),
    "it is of our own monitor: tests/cli/test_ready_made_monitor.py has it break",
)

#: The kernel of the machine that this was made on has neither md nor a device mapper, and its disk no SMART.
DISKS = "never seen for real: no kernel with md or a device mapper, and no disk with SMART was at hand"
GROUP, VOLUME = 'the volume group "{name}"', 'the logical volume "{name}"'
WITHOUT |= dict.fromkeys(
    (
        "an array is degraded",
        "no array is degraded",
        'the array "{name}" is degraded',
        'the array "{name}" is not degraded',
        'the array "{name}" has {bound:count} working disks',
        'the array "{name}" has {bound:count} spare disk[s]',
        'the array "{name}" has {bound:count} faulty disk[s]',
        'the disk "{path}" passes SMART',
        'the disk "{path}" does not pass SMART',
        f"{GROUP} exists",
        f"{GROUP} does not exist",
        f"{GROUP} is complete",
        f"{GROUP} is not complete",
        f"{GROUP} has {{bound:size}} free",
        f"{VOLUME} exists",
        f"{VOLUME} does not exist",
        f"{VOLUME} is active",
        f"{VOLUME} is not active",
        f"{VOLUME} is {{bound:size}} in size",
        f"{VOLUME} is {{bound:percent}} full",
    ),
    DISKS,
)

#: Both are the whole kernel's, of which the oracle's world has none of its own: cases are recorded from real ones.
KERNELS = "it is of the machine's own kernel, which the oracle's world shares: cases are recorded from real ones"
WITHOUT |= dict.fromkeys(
    (
        "swap is active",
        "no swap is active",
        "the swap is {bound:size} in size",
        'the swap "{path}" is active',
        'the swap "{path}" is not active',
        'the swap "{path}" is {bound:size} in size',
        "auditing is enabled",
        "auditing is not enabled",
        'auditing has the rule "{rule}"',
        'auditing does not have the rule "{rule}"',
        "auditing has {bound:count} rules",
    ),
    KERNELS,
)

WITHOUT |= dict.fromkeys(
    (
        'the configuration of "{program}" is valid',
        'the configuration of "{program}" is not valid',
        'the configuration of "{program}"[ for "{who}"] has "{name}"',
        'the configuration of "{program}"[ for "{who}"] does not have "{name}"',
        'the configuration of "{program}"[ for "{who}"] has "{name}" equal to "{value}"',
        'the configuration of "{program}"[ for "{who}"] has "{name}" not equal to "{value}"',
        'the configuration of "{program}"[ for "{who}"] has "{name}" {bound:count}',
    ),
    "a host has one configuration of each: tests/facts/test_configuration.py lays others over it, of real servers",
)

AT = "at is none of what the tests install: cases are recorded from it"
WITHOUT |= dict.fromkeys(
    (
        "{bound:count} at jobs are waiting",
        'an at job runs "{command}"',
        'no at job runs "{command}"',
        'the at job that runs "{command}" is due in {bound:time}',
    ),
    AT,
)

WITHOUT |= dict.fromkeys(
    (
        '"{url}" answered in {bound:time} at the {rank:word} percentile',
        '"{url}" answered with {bound:percent} errors',
    ),
    "they speak of a load before them, and change what they look at: a server counts in tests/acts/test_load_test.py",
)

WITHOUT |= dict.fromkeys(
    (
        'the scenario "{scenario}" is {state:word}',
        'the rule "{rule}" heals "{host}" by "{remedy}"',
        'the scenario "{scenario}" holds throughout',
    ),
    "they speak of a drill, which breaks and heals: real ones run in tests/cli/test_drill.py",
)

#: A session is several answers of one server, each of which is asked by the one before: the oracle's world has no such.
WITHOUT |= dict.fromkeys(
    (form for one in vocabulary().sentences if one.session for form in (one.pattern, one.negation) if form is not None),
    "a real shop with cookies, a login and forms is gone through in tests/acceptance/test_sessions.py",
)

WITHOUT |= dict.fromkeys(
    (
        "firewalld is running",
        "firewalld is not running",
        'firewalld has the default zone "{zone}"',
        'firewalld does not have the default zone "{zone}"',
        'the firewalld zone "{zone}" exists',
        'the firewalld zone "{zone}" does not exist',
        'the firewalld zone "{zone}" is active',
        'the firewalld zone "{zone}" is not active',
        'the firewalld zone "{zone}" allows the service "{service}"',
        'the firewalld zone "{zone}" does not allow the service "{service}"',
        'the firewalld zone "{zone}" allows port {port:word}',
        'the firewalld zone "{zone}" does not allow port {port:word}',
        'the firewalld zone "{zone}" has the interface "{interface}"',
        'the firewalld zone "{zone}" does not have the interface "{interface}"',
        'the firewalld zone "{zone}" has the source "{source}"',
        'the firewalld zone "{zone}" does not have the source "{source}"',
        'the firewalld zone "{zone}" has the rule "{rule}"',
        'the firewalld zone "{zone}" does not have the rule "{rule}"',
    ),
    "never seen for real: no firewalld was at hand; cases are written after firewall-cmd(1)",
)
QUOTA = (
    "the kernel of the machine that this was made on has no quotas: cases are recorded from ext4 and XFS in a machine"
)
WITHOUT |= dict.fromkeys(
    [
        *[f'the {holder} "{{name}}" has {a} quota for "{{path}}"' for holder in ("user", "group") for a in ("a", "no")],
        *[f'{a} {holder} is over its quota for "{{path}}"' for holder in ("user", "group") for a in ("a", "no")],
        *[f'the {holder} "{{name}}" has a quota of {{bound:size}} for "{{path}}"' for holder in ("user", "group")],
        *[
            f'the {holder} "{{name}}" uses {{bound:percent}} of its quota{of} for "{{path}}"'
            for holder in ("user", "group")
            for of in ("", " of files")
        ],
    ],
    QUOTA,
)

WITHOUT |= dict.fromkeys(
    (
        'the NATS server "{url}" answers',
        'the NATS server "{url}" does not answer',
        'the NATS server "{url}" answers in {bound:time}',
        'the NATS server "{url}" has version "{version}"',
        'the NATS server "{url}" does not have version "{version}"',
        'the NATS server "{url}" has at least version "{version}"',
        'the NATS server "{url}" does not have at least version "{version}"',
        'the NATS server "{url}" delivers a message in {bound:time}',
        'the stream "{stream}" of "{url}" exists',
        'the stream "{stream}" of "{url}" does not exist',
        'the stream "{stream}" of "{url}" has {bound:count} message[s]',
        'the stream "{stream}" of "{url}" has {bound:count} consumer[s]',
        'the stream "{stream}" of "{url}" is {bound:size} in size',
    ),
    "asked from the controller and from the host of a real NATS server: tests/facts/test_nats.py",
)

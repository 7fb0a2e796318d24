"""What every transport must do: exit status, streams and bytes as they are, deadlines, scripts, files, costs."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import pytest

from infratest.cleaning import keep_secret
from infratest.deadline import Deadline
from infratest.errors import DeadlineExceeded, TransportError, UserError
from infratest.hosts import Host
from infratest.plugins import builtin
from infratest.quoting import command_line
from infratest.testing.waiting import wait_until
from infratest.transports.base import OUTPUT_LIMIT, Transport

#: Seconds that no answer of a healthy host takes.
LONG = 30.0


def made(host: Host) -> Transport:
    transport: Transport = builtin("transport", host.transport)(host)
    return transport


def output(transport: Transport, command: list[str], stdin: bytes = b"") -> bytes:
    result = transport.run(command, Deadline(LONG), stdin)
    assert result.exit == 0, result
    assert result.stderr == b""
    assert not result.truncated
    return result.stdout


STATE = b"""
printf '%s|' "${x-no x}" "$(umask)" "$PWD" "$*" "$LC_ALL"
f 2>/dev/null || echo "no f"
cat
echo end >&2
"""


class TransportContract:
    """The suite. Two fixtures are asked for, of the subclass or of its module.

    `host`: a Host that can be reached, with the transport's name and options in it. `broken`: options (a mapping) by
    which it cannot be opened; empty where there are none.
    """

    @pytest.fixture
    def transport(self, host: Host) -> Iterator[Transport]:
        transport = made(host)
        transport.open(Deadline(LONG))
        yield transport
        transport.close()

    @pytest.fixture
    def folder(self, transport: Transport) -> Iterator[str]:
        """A folder on the host."""
        path = output(transport, ["mktemp", "-d"]).decode().strip()
        yield path
        transport.run(["rm", "-rf", path], Deadline(LONG))

    @pytest.mark.parametrize("status", [0, 1, 3, 126, 127, 255])
    def test_exit_status(self, transport: Transport, status: int) -> None:
        result = transport.run(["sh", "-c", f"exit {status}"], Deadline(LONG))
        assert result.exit == status
        assert 0 < result.seconds < LONG

    def test_streams_stay_apart(self, transport: Transport) -> None:
        result = transport.run(["sh", "-c", "echo out; echo err >&2; echo out2; exit 4"], Deadline(LONG))
        assert (result.exit, result.stdout, result.stderr) == (4, b"out\nout2\n", b"err\n")

    def test_no_output_at_all(self, transport: Transport) -> None:
        assert output(transport, ["true"]) == b""

    def test_bytes_come_as_they_are(self, transport: Transport) -> None:
        every = bytes(range(256)) * 4
        assert output(transport, ["cat"], every) == every

    def test_long_output_is_bounded_and_drained(self, transport: Transport) -> None:
        result = transport.run(["sh", "-c", "head -c 20000000 /dev/zero; echo end >&2; exit 5"], Deadline(LONG))
        assert result.exit == 5
        assert result.stdout == bytes(OUTPUT_LIMIT)
        assert result.stderr == b"end\n"
        assert result.truncated

    def test_long_error_output_is_bounded_too(self, transport: Transport) -> None:
        result = transport.run(["sh", "-c", "head -c 9000000 /dev/zero >&2; echo end"], Deadline(LONG))
        assert (result.stdout, len(result.stderr), result.truncated) == (b"end\n", OUTPUT_LIMIT, True)

    def test_output_of_exactly_the_bound_is_whole(self, transport: Transport) -> None:
        assert output(transport, ["head", "-c", str(OUTPUT_LIMIT), "/dev/zero"]) == bytes(OUTPUT_LIMIT)

    def test_a_megabyte_in_and_out_at_once(self, transport: Transport) -> None:
        data = bytes(range(256)) * 4096
        assert output(transport, ["cat"], data) == data

    def test_a_command_that_does_not_read_its_input(self, transport: Transport) -> None:
        result = transport.run(["sh", "-c", "echo done; exit 3"], Deadline(LONG), bytes(4_000_000))
        assert (result.exit, result.stdout) == (3, b"done\n")

    def test_input_ends(self, transport: Transport) -> None:
        assert output(transport, ["wc", "-c"]).strip() == b"0"
        assert output(transport, ["wc", "-c"], b"12345").strip() == b"5"

    @pytest.mark.parametrize(
        "word",
        [
            "two words",
            "it's",
            'say "hi"',
            "a\nb",
            "$HOME `id` $(id)",
            "\\n \\",
            "*",
            "~",
            "-n",
            "",
            "#",
            "!1",
            "größe 日本",
            "a;b&c|d",
        ],
    )
    def test_arguments_arrive_as_they_are(self, transport: Transport, word: str) -> None:
        assert output(transport, ["printf", "%s|", word, "x"]) == f"{word}|x|".encode()

    def test_a_nul_in_an_argument_is_refused(self, transport: Transport) -> None:
        with pytest.raises(TransportError, match=r"NUL|null byte"):
            transport.run(["printf", "a\0b"], Deadline(LONG))

    def test_a_command_that_is_not_there(self, transport: Transport) -> None:
        result = transport.run(["no-such-command", "x"], Deadline(LONG))
        assert result.exit == 127
        assert b"no-such-command" in result.stderr
        assert b"not found" in result.stderr
        assert result.stdout == b""

    def test_a_command_that_may_not_be_run(self, transport: Transport) -> None:
        result = transport.run(["/etc"], Deadline(LONG))
        assert result.exit == 126
        assert b"/etc" in result.stderr

    @pytest.mark.parametrize("signal, status", [("KILL", 137), ("TERM", 143), ("SEGV", 139)])
    def test_death_by_signal(self, transport: Transport, signal: str, status: int) -> None:
        assert transport.run(["sh", "-c", f"kill -{signal} $$"], Deadline(LONG)).exit == status

    def test_the_deadline_kills_and_keeps_what_had_come(self, transport: Transport) -> None:
        # The child is the one that must be gone: killing only the shell would leave it.
        command = ["sh", "-c", "sleep 300 & echo $!; wait"]
        with pytest.raises(DeadlineExceeded, match=r"within 4 s.*sleep 300") as raised:
            transport.run(command, Deadline(4.0))
        pid = raised.value.partial.decode().strip()
        assert pid.isdigit()
        wait_until(lambda: transport.run(["sh", "-c", f"kill -0 {pid}"], Deadline(LONG)).exit != 0)

    def test_after_a_deadline_the_transport_goes_on(self, transport: Transport) -> None:
        with pytest.raises(DeadlineExceeded):
            transport.run(["sleep", "300"], Deadline(0.7))
        assert output(transport, ["printf", "%s", "still here"]) == b"still here"

    def test_a_deadline_while_input_is_fed(self, transport: Transport) -> None:
        with pytest.raises(DeadlineExceeded):
            transport.run(["sleep", "300"], Deadline(0.7), bytes(8_000_000))
        assert output(transport, ["printf", "%s", "still here"]) == b"still here"

    @pytest.mark.parametrize("length", [0, 40_000])
    def test_a_script_runs_as_written(self, transport: Transport, length: int) -> None:
        text = r"""
    x='it is' y="\"quoted\"" # a comment with ' and \
    printf '%s|%s|%s\n' "$x" "$y" '\\0134 \n !$ %b %s größe'
    case $x in *is) echo "done!" >&2; exit 7 ;; esac
    """
        script = text.encode() + b"#" * length + b"\nexit 8\n"
        result = transport.run_script(script, Deadline(LONG))
        assert result.exit == 7
        assert result.stdout == b'it is|"quoted"|\\\\0134 \\n !$ %b %s gr\xc3\xb6\xc3\x9fe\n'
        assert result.stderr == b"done!\n"

    def test_a_script_finds_nothing_of_the_one_before(self, transport: Transport) -> None:
        def seen(*arguments: str) -> tuple[int, bytes, bytes]:
            result = transport.run_script(STATE, Deadline(LONG), arguments=arguments)
            return result.exit, result.stdout, result.stderr

        exit, stdout, stderr = seen("one", "it's two")
        assert (exit, stderr) == (0, b"end\n")
        assert stdout.startswith(b"no x|00")
        assert stdout.endswith(b"|one it's two|C|no f\n")
        changes = (
            b"x=1; umask 0777; cd /; f() { echo f; }; trap 'echo trapped' EXIT; LC_ALL=x; shift; exec 2>&1; exit 3"
        )
        result = transport.run_script(changes, Deadline(LONG), arguments=["one", "it's two"])
        assert (result.exit, result.stdout) == (3, b"trapped\n")
        assert seen("one", "it's two") == (exit, stdout, stderr)

    @pytest.mark.parametrize("text", [b"if then", b"exit 2", b"kill -9 $$"], ids=["wrong", "exit", "killed"])
    def test_after_a_script_that_breaks_off_the_next_one_runs(self, transport: Transport, text: bytes) -> None:
        good = b'echo "$1"; exit 4'
        for number in ("1", "2"):
            assert transport.run_script(text, Deadline(LONG)).exit in (1, 2, 137)
            result = transport.run_script(good, Deadline(LONG), arguments=[number])
            assert (result.exit, result.stdout, result.stderr) == (4, number.encode() + b"\n", b"")

    def test_a_script_that_prints_much_is_bounded_and_the_next_one_is_whole(self, transport: Transport) -> None:
        flood = b"head -c 9000000 /dev/zero; head -c 9000000 /dev/zero >&2; exit 5"
        for _ in range(2):
            result = transport.run_script(flood, Deadline(LONG))
            assert (result.exit, result.truncated) == (5, True)
            assert result.stdout == result.stderr == bytes(OUTPUT_LIMIT)
            result = transport.run_script(b"echo out; echo err >&2", Deadline(LONG))
            assert (result.exit, result.stdout, result.stderr, result.truncated) == (0, b"out\n", b"err\n", False)

    @pytest.mark.parametrize("before", [0, 2], ids=["at once", "later"])
    def test_the_deadline_kills_a_script(self, transport: Transport, before: int) -> None:
        text = b'sleep "$1" & echo $!; wait'
        for _ in range(before):
            assert transport.run_script(text, Deadline(LONG), arguments=["0"]).exit == 0
        with pytest.raises(DeadlineExceeded, match=r"within 4 s") as raised:
            transport.run_script(text, Deadline(4.0), arguments=["300"])
        pid = raised.value.partial.decode().strip()
        assert pid.isdigit()
        wait_until(lambda: transport.run(["sh", "-c", f"kill -0 {pid}"], Deadline(LONG)).exit != 0)
        assert transport.run_script(text, Deadline(LONG), arguments=["0"]).exit == 0

    @pytest.mark.parametrize("length", [0, 40_000])
    def test_a_script_as_login_finds_what_a_command_finds(self, transport: Transport, length: int) -> None:
        seen = 'echo "$PATH|${LC_ALL-unset}|${INFRATEST_SCRIPT-none}|$1"'
        script = f"{seen}\n{'#' * length}\n".encode()
        found = transport.run_script(script, Deadline(LONG), arguments=["x"], as_login=True)
        assert found.stdout == output(transport, ["sh", "-c", seen, "sh", "x"])
        assert b"|C|none|x\n" in transport.run_script(script, Deadline(LONG), arguments=["x"]).stdout

    @pytest.mark.parametrize("name", ["plain", "with blank", 'it\'s "quoted" $HOME', "größe"])
    def test_put(self, transport: Transport, folder: str, name: str) -> None:
        path, data = f"{folder}/{name}", bytes(range(256)) * 400
        transport.put(data, path, "0640", Deadline(LONG))
        assert output(transport, ["cat", path]) == data
        assert output(transport, ["stat", "-c", "%a", path]) == b"640\n"

    def test_put_replaces_a_file_whole(self, transport: Transport, folder: str) -> None:
        path = f"{folder}/file"
        transport.put(b"old", path, "0644", Deadline(LONG))
        before = output(transport, ["stat", "-c", "%i", path])
        transport.put(b"", path, "0600", Deadline(LONG))
        assert output(transport, ["cat", path]) == b""
        assert output(transport, ["stat", "-c", "%a", path]) == b"600\n"
        assert output(transport, ["stat", "-c", "%i", path]) != before
        assert output(transport, ["ls", "-A", folder]) == b"file\n"

    def test_put_makes_the_folder(self, transport: Transport, folder: str) -> None:
        transport.put(b"data", f"{folder}/new folder/deep/file", "0644", Deadline(LONG))
        assert output(transport, ["cat", f"{folder}/new folder/deep/file"]) == b"data"

    def test_put_that_cannot(self, transport: Transport, folder: str) -> None:
        transport.put(b"old", f"{folder}/file", "0644", Deadline(LONG))
        with pytest.raises(TransportError, match=r"could not write .*/file/below: .*file"):
            transport.put(b"data", f"{folder}/file/below", "0644", Deadline(LONG))
        assert output(transport, ["cat", f"{folder}/file"]) == b"old"
        assert output(transport, ["ls", "-A", folder]) == b"file\n"

    def test_costs_are_counted(self, host: Host) -> None:
        transport = made(host)
        assert transport.cost.as_dict() == {"logins": 0, "round_trips": 0, "commands": 0}
        transport.open(Deadline(LONG))
        assert transport.cost.as_dict() == {"logins": 1, "round_trips": 0, "commands": 0}
        transport.run(["true"], Deadline(LONG))
        transport.run(["no-such-command"], Deadline(LONG))
        assert transport.cost.as_dict() == {"logins": 1, "round_trips": 2, "commands": 2}
        for number in (3, 4, 5):
            transport.run_script(b"exit 0", Deadline(LONG))
            assert transport.cost.as_dict() == {"logins": 1, "round_trips": number, "commands": number}
        transport.close()
        assert transport.cost.as_dict() == {"logins": 1, "round_trips": 5, "commands": 5}

    def test_close_twice_and_before_open(self, host: Host) -> None:
        transport = made(host)
        transport.close()
        transport.open(Deadline(LONG))
        transport.close()
        transport.close()
        assert transport.cost.as_dict() == {"logins": 1, "round_trips": 0, "commands": 0}

    def test_close_after_a_failed_open(self, host: Host, broken: Mapping[str, Any]) -> None:
        options = {**host.options, **broken}
        transport = made(Host(name="web-1", transport=host.transport, options=options))
        if broken:
            with pytest.raises(TransportError, match="web-1"):
                transport.open(Deadline(LONG))
        transport.close()
        transport.close()
        assert transport.cost.logins == 0

    def test_nothing_runs_before_open_or_after_close(self, host: Host) -> None:
        transport = made(host)
        with pytest.raises(TransportError, match="not open"):
            transport.run(["true"], Deadline(LONG))
        transport.open(Deadline(LONG))
        transport.close()
        with pytest.raises(TransportError, match="not open"):
            transport.run(["true"], Deadline(LONG))

    def test_it_opens_again_after_close(self, host: Host) -> None:
        transport = made(host)
        for logins in (1, 2):
            transport.open(Deadline(LONG))
            assert output(transport, ["printf", "%s", "here"]) == b"here"
            transport.close()
            assert transport.cost.logins == logins

    def test_an_unknown_option_is_refused(self, host: Host) -> None:
        with pytest.raises(UserError, match="adress"):
            made(Host(name="web-1", transport=host.transport, options={"adress": "x"}))

    def test_a_secret_is_masked_in_messages(self, transport: Transport) -> None:
        keep_secret("swordfish-7231")
        with pytest.raises(DeadlineExceeded) as raised:
            transport.run(["sh", "-c", "sleep 300", "swordfish-7231"], Deadline(0.5))
        assert "swordfish" not in str(raised.value)
        assert command_line(["sh", "-c", "sleep 300"]) in str(raised.value)

    def test_output_is_told_while_the_command_runs(self, host: Host) -> None:
        """The command never ends by itself: it is ended because of what it printed."""
        transport = made(host)
        heard, begun = bytearray(), threading.Event()

        def listen(data: bytes) -> None:
            heard.extend(data)
            if b"begun\n" in heard:
                begun.set()

        transport.open(Deadline(LONG))
        transport.on_output = listen
        ending = threading.Thread(target=lambda: (begun.wait(LONG), transport.close()))
        ending.start()
        try:
            with suppress(TransportError):
                assert transport.run(["sh", "-c", "echo begun; exec sleep 600"], Deadline(LONG)).exit != 0
            assert begun.is_set()
            assert heard == b"begun\n"
        finally:
            begun.set()
            ending.join(LONG)

"""The faults and loads that mcpwatch is to bear, and the tests that hold each.

Lost is an index below the log's size that is neither shown nor inside a declared gap; 0 are, in every row. Long forms
run by `pytest -m faults`, the rest in every run.
"""

from msgspec import Struct


class Row(Struct, frozen=True):
    """One fault or load."""

    number: int
    what: str
    tests: tuple[str, ...] = ()
    """FILE::NAME under tests/, or a benchmark's or a program's FILE."""
    scale: str = ""
    """How the tests differ from the row, or why there is none."""


ROWS = (
    Row(
        1,
        "10,000 entries/s for 600 s to one watcher",
        ("benchmarks/pipeline_bench.py", "benchmarks/ui_bench.py"),
        "2,000/s for 300 s in row 11; speed and memory by the benchmarks",
    ),
    Row(
        2,
        "100,000 entries at once",
        (
            "faults/test_bursts.py::test_a_burst_is_caught_up_with",
            "faults/test_bursts.py::test_a_burst_of_a_hundred_thousand_is_caught_up_with",
        ),
        "10,000; long: whole",
    ),
    Row(3, "replay from disk", ("benchmarks/feed_bench.py",), "by the benchmark"),
    Row(4, "a day at 1,000 entries/s", (), "not run: 50 restarts in row 5 and 5 min at 2,000/s in row 11 stand for it"),
    Row(
        5,
        "gateway killed with -9",
        (
            "faults/test_kills.py::test_some_kills_of_each_side_lose_and_double_nothing",
            "faults/test_kills.py::test_fifty_kills_of_each_side_lose_and_double_nothing",
            "gateway/test_gateway_process.py::test_killed_under_load_it_loses_nothing_a_watcher_saw",
            "e2e/test_killed.py::test_nothing_is_missing_and_nothing_comes_twice",
        ),
        "3 kills at 1,000 entries/s; long: 50 instead of 100",
    ),
    Row(
        6,
        "watcher killed with -9",
        (
            "faults/test_kills.py::test_some_kills_of_each_side_lose_and_double_nothing",
            "faults/test_kills.py::test_fifty_kills_of_each_side_lose_and_double_nothing",
            "feed/test_checkpoint_pins.py::test_killed_at_any_moment_a_good_pin_is_left",
        ),
        "3 kills at 1,000 entries/s; long: 50 instead of 100",
    ),
    Row(
        7,
        "gateway restarted in good order",
        (
            "faults/test_bursts.py::test_a_restart_in_good_order_leaves_nothing_uncovered",
            "faults/test_bursts.py::test_twenty_restarts_in_good_order_leave_nothing_uncovered",
        ),
        "1 restart; long: 20",
    ),
    Row(
        8,
        "connection cut at each octet of a stream",
        ("feed/test_subscriber.py::test_a_connection_cut_at_any_octet_loses_and_doubles_nothing",),
    ),
    Row(
        9,
        "half-open connection",
        (
            "faults/test_slow_watchers.py::test_a_gateway_that_hangs_makes_the_feed_stale",
            "feed/test_log.py::test_silence_makes_a_feed_stale_and_a_checkpoint_live_again",
        ),
        "by the watcher's clock; long: by the real one",
    ),
    Row(
        10,
        "a feed that drips",
        (
            "feed/test_silent_feeds.py::test_a_stream_that_drips_is_stale_in_time_and_loses_nothing",
            "feed/test_subscriber.py::test_a_drip_of_comments_keeps_nothing_alive",
        ),
    ),
    Row(
        11,
        "a watcher stopped for 10 min at 10,000 entries/s",
        (
            "faults/test_slow_watchers.py::test_a_watcher_that_was_stopped_catches_up",
            "faults/test_slow_watchers.py::test_a_watcher_that_was_stopped_for_minutes_catches_up",
        ),
        "2 s of larger entries; long: 1 and 5 min at 2,000/s, a tenth of the entries",
    ),
    Row(
        12,
        "32 watchers, one stuck",
        (
            "faults/test_slow_watchers.py::test_one_stuck_watcher_keeps_no_other_from_its_entries",
            "faults/test_slow_watchers.py::test_one_stuck_watcher_keeps_no_other_waiting",
        ),
        "500 entries; long: 30 s at 1,000/s",
    ),
    Row(
        13,
        "each bit of a stream flipped",
        ("feed/test_log_mutations.py::test_no_bit_of_a_stream_can_be_flipped_unseen",),
    ),
    Row(
        14,
        "entries dropped, swapped, doubled, inserted, renumbered",
        (
            "feed/test_mutation_machine.py::test_each_of_some_hundred_mutations_is_found_and_no_untouched_stream_alarms",
            "feed/test_mutation_machine.py::test_each_of_a_hundred_thousand_mutations_is_found",
        ),
        "some hundred; long: 100,000",
    ),
    Row(
        15,
        "tail cut, checkpoints frozen",
        (
            "feed/test_silent_feeds.py::test_a_tail_that_is_cut_shows_in_time_by_the_real_clock",
            "feed/test_log.py::test_an_old_checkpoint_sent_again_and_again_does_not_keep_a_feed_alive",
        ),
    ),
    Row(
        16,
        "rollback, fork, another key, another origin",
        (
            "feed/test_hostile_logs.py::test_a_log_that_turns_is_found_and_both_notes_are_kept",
            "feed/test_continuity_gateway.py::test_a_journal_put_back_from_a_copy_is_found",
        ),
    ),
    Row(
        17,
        "a log sealed again, cut and continued, stripped of signatures",
        (
            "feed/test_continuity.py::test_a_log_replaced_while_we_were_away_is_found_when_its_turn_comes",
            "feed/test_log.py::test_a_checkpoint_that_does_not_open_breaks_the_log",
        ),
    ),
    Row(
        18,
        "retention while away",
        ("feed/test_continuity_gateway.py::test_what_retention_took_is_a_gap_of_just_that_and_the_rest_is_proven",),
    ),
    Row(
        19,
        "leaves that are no good JSON",
        (
            "feed/test_json_leaves.py::test_the_json_test_suite_as_leaves",
            "feed/test_json_leaves.py::test_the_json_test_suite_inside_envelopes",
        ),
    ),
    Row(
        20,
        "ids and retry times that make no sense",
        ("feed/test_sse.py::test_a_stream_means_the_same_however_it_is_cut",),
    ),
    Row(
        21,
        "huge events, endless lines, gzip bombs",
        (
            "feed/test_hostile_feeds.py::test_no_answer_takes_the_watchers_memory",
            "feed/test_hostile_feeds.py::test_an_entry_over_the_limit_is_refused_by_its_index_and_those_after_it_are_read",
        ),
    ),
    Row(
        22,
        "clocks that jump",
        (
            "feed/test_log.py::test_a_clock_that_jumps_breaks_nothing",
            "feed/test_log.py::test_a_gateway_whose_clock_is_set_right_stays_live",
            "faults/test_model.py::test_random_faults_lose_and_double_nothing",
        ),
    ),
    Row(
        23,
        "requests replayed",
        (
            "identity/test_replay.py::test_forgetting_is_always_admitted",
            "identity/test_replay.py::test_memory_is_fixed",
        ),
    ),
    Row(
        24,
        "signature vectors",
        (
            "identity/test_ed25519.py::test_every_wycheproof_vector_gets_its_verdict",
            "identity/test_ed25519.py::test_speccheck_accepts_only_its_fourth_case",
        ),
    ),
    Row(
        25,
        "disk full",
        (
            "faults/test_full_disks.py::test_a_file_that_may_not_grow_stops_the_calls_and_loses_nothing",
            "faults/test_full_disks.py::test_a_full_disk_stops_the_calls_and_loses_nothing",
            "gateway/test_gateway_journal.py::test_a_full_disk_loses_nothing_that_was_taken",
        ),
        "a limit on the file; long: a small file system, for root",
    ),
    Row(
        26,
        "a damaged journal",
        (
            "gateway/test_gateway_journal.py::test_a_damaged_journal_is_refused",
            "gateway/test_gateway_journal.py::test_a_journal_rewritten_as_a_whole_does_not_fit_what_was_signed",
        ),
        "statements against the database; no copy at each write",
    ),
    Row(
        27,
        "100,000 sessions",
        ("benchmarks/stalls_bench.py", "ui/test_narrow.py::test_very_many_are_looked_through_a_helping_at_a_time"),
        "by the benchmark with --sessions 100000: the screens, of the 20,000 that are held",
    ),
    Row(
        28,
        "terminals of any size, and none",
        (
            "ui/test_resize.py::test_down_to_one_cell_and_back",
            "cli/test_cli.py::test_right_arguments_still_need_a_terminal",
            "watch/test_tail.py::test_a_reader_that_leaves_ends_it_quietly",
        ),
    ),
    Row(
        29,
        "signals",
        (
            "ui/test_pty.py::test_a_signal_restores_the_terminal_and_ends",
            "ui/test_pty.py::test_it_ends_when_its_terminal_goes_away",
            "ui/test_pty.py::test_put_aside_it_leaves_the_terminal_as_it_was_and_comes_back",
            "ui/test_pty.py::test_stopped_and_continued_it_goes_on",
            "gateway/test_gateway_process.py::test_a_signal_ends_it_in_good_order",
        ),
        "stopped for a moment instead of 10 min",
    ),
    Row(30, "hostile text on every screen", ("ui/test_hostile.py::test_nothing_that_acts_reaches_the_terminal",)),
    Row(31, "a terminal that answers", (), "not run: by row 30 nothing that it would answer to reaches it"),
    Row(
        32,
        "secrets in every sink",
        (
            "gateway/test_gateway_secrets.py::test_no_secret_reaches_a_file_the_feed_or_a_log_line",
            "e2e/test_masked.py::test_nobody_who_reads_the_feed_sees_a_secret",
        ),
    ),
    Row(
        33,
        "hosts, origins, tokens and scopes",
        ("faults/test_admission.py::test_who_gets_in", "gateway/test_gateway_refusals.py::test_hosts"),
    ),
    Row(
        34,
        "fuzzing against references",
        ("fuzz/test_fuzz.py::test_a_reader_and_its_reference_agree", "fuzz/run.py"),
        "300 inputs a reader; long: as many as `run.py` is told",
    ),
    Row(
        35,
        "random faults in any order",
        (
            "faults/test_model.py::test_random_faults_lose_and_double_nothing",
            "faults/test_model.py::test_many_random_faults_lose_and_double_nothing",
        ),
        "50 runs of 8 steps; long: 1,000 of 50",
    ),
)

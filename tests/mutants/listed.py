"""All mutants, in the order of the flow: the rule to accept, intake, measure, the sink; then what stops a line."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

ACCEPT = "hotline/accept.py"
FOLD = "hotline/fold/vectorised.py"
INTAKE = "streams/intake/agent.py"
CONSUMER = "streams/consumer.py"
HANDLING = "streams/handling.py"
STEP = "streams/measure/step.py"
MEMORY = "streams/measure/memory.py"
LINE = "streams/measure/line.py"
UNCONFIRMED = "streams/measure/unconfirmed.py"
GATHERER = "sinks/writer/gatherer.py"
BATCH = "sinks/writer/batch.py"
APPLIER = "sinks/writer/applier.py"
SPOOL = "sinks/writer/spool.py"
BARRIER = "sinks/writer/barrier.py"
STORE = "sinks/writer/store.py"
INSERTING = "sinks/inserting.py"
LOGS = "sinks/logs.py"
FORKS = "sinks/writer/forks.py"
IN_HAND = "streams/in_hand.py"
IN_A_ROW = "streams/measure/in_a_row.py"

_ACCEPT = "tests/hotline/test_accept.py::"
_STEP = "tests/streams/test_measure_step.py::"
_LINE = "tests/streams/test_measure_line.py::"
_SAME_LOG = "tests/streams/test_same_log.py::"
_WRITER = "tests/sinks/test_writer.py::"

CASES = (
    f"{_ACCEPT}test_an_output_is_taken_when_its_source_is_next_and_it_follows_the_last_one_as_far_as_ids_are_known",
)
GAPS = (f"{_ACCEPT}test_a_gap_stops_the_line_where_nothing_says_that_the_output_is_astray",)
OLDER = (f"{_ACCEPT}test_an_older_deployment_stops_the_line_unless_what_it_wrote_is_passed_over",)
NEXT = (f"{_ACCEPT}test_what_is_accepted_next_follows_from_the_output",)
WITHOUT_IDS = (f"{_ACCEPT}test_an_output_of_a_version_without_ids_is_read_as_one_whose_ids_are_not_known",)
ANOTHER_LOG = ("tests/sinks/test_forks.py::test_another_record_or_none_where_a_mark_says_one_was_is_another_log",)
IN_ITS_ROW = "tests/streams/test_in_a_row.py::test_"
LOST = (f"{_LINE}test_an_output_behind_a_lost_one_is_passed_over_and_its_writer_ends_when_it_hears_so",)
LATE_TICKETS = (f"{_LINE}test_whatever_dies_and_arrives_late_each_event_counts_once[tickets]",)
NOT_STORED = (f"{_LINE}test_what_the_sink_has_not_come_to_is_not_forgotten",)
SETS = (f"{_STEP}test_any_split_order_repetition_and_crash_gives_the_same",)
REFUTED = (f"{_SAME_LOG}test_a_line_ends_when_the_mark_names_another_output_than_it_accepted_there",)
DIES = f"{_WRITER}test_a_sink_that_dies_between_any_two_steps_goes_on_where_it_was"
HOLES = (
    "tests/sinks/test_gathering.py::test_a_hole_in_the_log_or_between_outputs_stops_the_line_after_what_came_before_it",
)
TWO_SCHEMAS = (f"{_WRITER}test_streams_of_two_schemas_in_one_batch_are_two_inserts",)
ZOMBIE = (f"{_WRITER}test_a_zombie_inserts_nothing_and_ends",)

ACCEPTING = (
    Mutant(
        "the next source counts as known",
        ACCEPT,
        "if at < (state.log,",
        "if at <= (state.log,",
        CASES,
    ),
    Mutant(
        "no output is astray",
        ACCEPT,
        "if UNKNOWN not in (state.upon, source.upon) and source.upon != state.upon:",
        "if False:",
        CASES,
    ),
    Mutant(
        "an id that is not known agrees with none",
        ACCEPT,
        "if UNKNOWN not in (state.upon, source.upon) and source.upon != state.upon:",
        "if source.upon != state.upon:",
        WITHOUT_IDS,
    ),
    Mutant(
        "the first output follows nothing",
        ACCEPT,
        "return self.output_id if self.log else FIRST",
        "return self.output_id",
        CASES,
    ),
    Mutant(
        "a log may start anywhere",
        ACCEPT,
        "source.log > state.log and source.offset == 0 and source.first == 0",
        "source.log > state.log and source.first == 0",
        GAPS,
    ),
    Mutant(
        "a log may start in the middle of a block",
        ACCEPT,
        "source.log > state.log and source.offset == 0 and source.first == 0",
        "source.log > state.log and source.offset == 0",
        GAPS,
    ),
    Mutant("a gap is taken", ACCEPT, "if not (starts_log or follows):", "if False:", GAPS),
    Mutant(
        "an older deployment is taken",
        ACCEPT,
        "if record.versions.deployment < state.deployment:",
        "if False:",
        OLDER,
    ),
    Mutant(
        "after a slice comes the next record",
        ACCEPT,
        "return self.offset + 1 if self.final else self.offset",
        "return self.offset + 1",
        NEXT,
    ),
    Mutant(
        "after a slice comes the block's first event",
        ACCEPT,
        "return 0 if self.final else self.last",
        "return 0",
        NEXT,
    ),
    Mutant(
        "records given up count as one",
        ACCEPT,
        "offset=source.offset + max(source.given_up - 1, 0),",
        "offset=source.offset,",
        NEXT,
    ),
    Mutant(
        "the id of the output accepted last is forgotten",
        ACCEPT,
        "output_id=source.output_id,",
        "output_id=UNKNOWN,",
        NEXT,
    ),
)

READING = (
    Mutant(
        "a hole in the input is read over",
        CONSUMER,
        "if record.offset != due:",
        "if False:",
        ("tests/streams/test_transport.py::test_a_hole_ends_the_process_before_the_record_behind_it",),
    ),
    Mutant(
        "an output may be acknowledged at any offset",
        HANDLING,
        "if due not in {None, written.offset}:",
        "if False:",
        ("tests/streams/test_transport.py::test_a_record_that_lands_behind_somebody_elses_ends_its_writer[embedded]",),
    ),
    Mutant(
        "intake marks what is not yet acknowledged",
        INTAKE,
        "            await self._send(done.blocks)\n",
        "            self._positions.update(done.positions)\n"
        "            self._moved.set()\n"
        "            await self._send(done.blocks)\n",
        ("tests/streams/test_intake_delivery.py::test_nothing_is_marked_before_its_blocks_are_acknowledged",),
    ),
)

MEASURING = (
    Mutant(
        "a row's version does not say how large its set is",
        FOLD,
        'pl.col("size").cast(pl.UInt64) * SIZE_UNIT + folded_by(',
        'pl.col("size").cast(pl.UInt64) * 0 + folded_by(',
        ("tests/hotline/test_fold.py::test_two_readings_agree_on_any_events[calls]",),
    ),
    Mutant(
        "sums change by the new row only",
        STEP,
        "old if len(old) else rows.clear(),",
        "rows.clear(),",
        SETS,
    ),
    Mutant(
        "the row emitted before is not kept",
        MEMORY,
        "kept = fresh.select(self._hot.columns), rows.select(kept_of_rows(self._subject))",
        "kept = fresh.select(self._hot.columns), rows.select(kept_of_rows(self._subject)).clear()",
        SETS,
    ),
    Mutant(
        "days of outputs that are not yet stored may be forgotten",
        MEMORY,
        "left = sorted(self._days.keys() - held,",
        "left = sorted(self._days.keys(),",
        SETS,
    ),
    Mutant("an output does not say which one it follows", LINE, "upon=self.accepted.upon,", "upon=UNKNOWN,", LOST),
    Mutant("all outputs have one id", LINE, "output_id=new_output_id(),", "output_id=2,", LOST),
    Mutant(
        "the next input is one too far",
        LINE,
        "return self.accepted.next_offset if",
        "return self.accepted.next_offset + 1 if",
        LOST,
    ),
    Mutant(
        "a starting line takes in what the sink passes over",
        LINE,
        "if accept(self.accepted, record) is Decision.TAKE:",
        "if accept(self.accepted, record):",
        LOST,
    ),
    Mutant(
        "a starting line does not know the output before its own",
        LINE,
        "        self.last_written = record.source.output_id\n",
        "",
        LOST,
    ),
    Mutant(
        "a starting line does not remember what it takes in",
        LINE,
        "self._memory.remember(*again(), again)",
        "again()",
        LATE_TICKETS,
    ),
    Mutant(
        "the output at the sink's position counts as stored",
        LINE,
        "self._unstored[0].offset < position:",
        "self._unstored[0].offset <= position:",
        NOT_STORED,
    ),
    Mutant(
        "what a line accepted is not noted",
        UNCONFIRMED,
        "self._accepted[position] = output_id",
        "pass",
        REFUTED,
    ),
    Mutant(
        "no mark refutes what a line accepted",
        UNCONFIRMED,
        "return UNKNOWN not in (known, mark.accepted.output_id) and known != mark.accepted.output_id",
        "return False",
        REFUTED,
    ),
    Mutant(
        "what a mark has come to is looked at again",
        UNCONFIRMED,
        " if position > mark.position}",
        "}",
        REFUTED,
    ),
)

STORING = (
    Mutant(
        "the sink passes over a hole in the log",
        GATHERER,
        "if record.offset != mark.position:",
        "if False:",
        HOLES,
    ),
    Mutant(
        "the sink passes over a gap between outputs",
        GATHERER,
        "            decision = accept(mark.accepted, output)\n",
        "            try:\n"
        "                decision = accept(mark.accepted, output)\n"
        "            except GapError:\n"
        "                decision = Decision.DROP\n",
        HOLES,
    ),
    Mutant(
        "all inserts have one token",
        INSERTING,
        '"insert_deduplication_token": insert.token}',
        '"insert_deduplication_token": "batch"}',
        TWO_SCHEMAS,
    ),
    Mutant(
        "an insert that is repeated has another token",
        INSERTING,
        '"insert_deduplication_token": insert.token}',
        '"insert_deduplication_token": f"{insert.token}/{id(insert)}"}',
        (f"{DIES}[table:call_events]",),
    ),
    Mutant(
        "two inserts of a batch into a table have one token",
        BATCH,
        'token=f"{batch}/{table}/{number}",',
        'token=f"{batch}/{table}",',
        TWO_SCHEMAS,
    ),
    Mutant(
        "inserts do not ask for the epoch",
        INSERTING,
        'guard = f"(SELECT max(epoch) FROM {EPOCHS}) <= {epoch:d}"',
        'guard = "1"',
        ZOMBIE,
    ),
    Mutant(
        "a sink whose epoch is over goes on",
        APPLIER,
        "self._store.ensure_epoch()",
        "pass",
        ZOMBIE,
    ),
    Mutant(
        "two sinks may take one epoch",
        STORE,
        "self.epoch = epoch if found == [claim] else 0",
        "self.epoch = epoch",
        (f"{_WRITER}test_two_sinks_that_start_at_once_take_two_epochs",),
    ),
    Mutant(
        "marks are inserted before the tables",
        APPLIER,
        "        counts = list(self._pool.map(self._insert_one, largest_first))\n"
        "        self._store.insert(batch.marks)\n",
        "        self._store.insert(batch.marks)\n"
        "        counts = list(self._pool.map(self._insert_one, largest_first))\n",
        (f"{DIES}[table:accounts]",),
    ),
    Mutant(
        "the spool is written after the inserts",
        APPLIER,
        '        path = self._written(batch)\n        self._passed("spool")\n        rows = self._insert(batch)\n',
        '        rows = self._insert(batch)\n        path = self._written(batch)\n        self._passed("spool")\n',
        (f"{DIES}[table:call_events]",),
    ),
    Mutant(
        "the spool forgets a batch before it is inserted",
        APPLIER,
        "        rows = self._insert(batch)\n        self._spool.remove(path)\n",
        "        self._spool.remove(path)\n        rows = self._insert(batch)\n",
        (f"{DIES}[table:call_events]",),
    ),
    Mutant(
        "the spool is read newest first",
        SPOOL,
        'return sorted(self._folder.glob(f"*{_SUFFIX}"))',
        'return sorted(self._folder.glob(f"*{_SUFFIX}"), reverse=True)',
        ("tests/sinks/test_spool.py::test_batches_are_found_in_their_order_and_a_draft_is_none",),
    ),
    Mutant(
        "a draft in the spool is a batch",
        SPOOL,
        "            draft.unlink()",
        "            draft.rename(draft.with_suffix(_SUFFIX))",
        ("tests/sinks/test_spool.py::test_batches_are_found_in_their_order_and_a_draft_is_none",),
    ),
    Mutant(
        "two sinks may share a spool",
        SPOOL,
        "fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        "pass",
        ("tests/sinks/test_spool.py::test_a_folder_is_of_one_sink_until_that_gives_it_up",),
    ),
    Mutant(
        "a batch of the spool that is stored is applied again",
        BATCH,
        "return all(stored.get((move.topic, move.partition), Mark()) == move.before for move in self.moves)",
        "return True",
        (f"{DIES}[marks]",),
    ),
    Mutant(
        "a batch of the spool that is not stored is dropped",
        BATCH,
        "return all(stored.get((move.topic, move.partition), Mark()) == move.before for move in self.moves)",
        "return False",
        (f"{DIES}[spool]",),
    ),
    Mutant(
        "two programs may take one log number",
        LOGS,
        'settings={"insert_deduplication_token": f"{topic}/{log}", "async_insert": 0},',
        'settings={"async_insert": 0},',
        ("tests/sinks/test_migrations.py::test_two_who_register_a_log_at_once_get_two_numbers",),
    ),
    Mutant(
        "whatever output stands at a mark is the one that was there",
        FORKS,
        'digest_of(record.value or b"") == mark.digest)',
        "True)",
        ANOTHER_LOG,
    ),
    Mutant(
        "a log that ends before its mark is the same",
        FORKS,
        """        if end is not None and end <= offset:
            return False, None""",
        """        if end is not None and end <= offset:
            return None, None""",
        ANOTHER_LOG,
    ),
    Mutant(
        "whatever block stands at a mark is the one that was there",
        FORKS,
        "return bool(known == accepted.block_id)",
        "return True",
        ANOTHER_LOG,
    ),
    Mutant(
        "a mark of another log is compared",
        FORKS,
        "if mark.log == logs.get(at[0])}",
        "}",
        ("tests/sinks/test_forks.py::test_what_nobody_knows_of_a_log_says_nothing",),
    ),
    Mutant(
        "a lease does not end by itself",
        BARRIER,
        "return bool(self._lease) and time.monotonic() < self._ends",
        "return bool(self._lease)",
        ("tests/sinks/test_barrier.py::test_a_lease_that_has_ended_holds_nothing_and_is_none_any_more",),
    ),
    Mutant(
        "a lease does not wait for the batch in hand",
        BARRIER,
        "if not self._changed.wait_for(lambda: not self._applying, seconds):",
        "if False:",
        ("tests/sinks/test_barrier.py::test_a_lease_is_not_given_while_a_batch_is_applied",),
    ),
)

STANDING = (
    Mutant(
        "a process that lived through a record leaves it to blame",
        IN_HAND,
        "            self._suspect, self._deaths = _NOTHING, 0\n",
        "            pass\n",
        ("tests/streams/test_in_hand.py::test_deaths_over_a_record_are_counted_in_a_row_and_those_elsewhere_are_not",),
    ),
    Mutant(
        "a kill from outside is held against a record",
        IN_HAND,
        "        self._held = _NOTHING\n        self._write()\n",
        "        self._write()\n",
        ("tests/streams/test_in_hand.py::test_deaths_over_a_record_are_counted_in_a_row_and_those_elsewhere_are_not",),
    ),
    Mutant(
        "an event that lives does not end a row of dead ones",
        IN_A_ROW,
        "self.count, self.reasons = before._replace(events=0, blocks=0), {}",
        "self.reasons = {}",
        (f"{IN_ITS_ROW}events_that_this_installation_refuses_count_and_one_that_lives_ends_the_row",),
    ),
    Mutant(
        "a restart counts a row anew",
        IN_A_ROW,
        "self.count = self._before = Count(*_read(file).get(at, ()))",
        "self.count = self._before = Count()",
        (f"{IN_ITS_ROW}the_next_process_goes_on_counting_whether_the_last_output_was_sent_or_not",),
    ),
    Mutant(
        "what an adapter found broken counts against this installation",
        IN_A_ROW,
        "    ours = letters.filter(",
        "    ours = letters if True else letters.filter(",
        (f"{IN_ITS_ROW}lines_that_an_adapter_found_broken_count_neither_for_nor_against",),
    ),
)
"""What makes a line stand, and what does not."""

MUTANTS = (*ACCEPTING, *READING, *MEASURING, *STORING, *STANDING)

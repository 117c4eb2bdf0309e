"""Panels about the processes of the pipeline, from what they tell of themselves, and about reconcile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards import look, plain, told
from dashboards.words import Text
from hotline.health import TELL_EVERY_S

if TYPE_CHECKING:
    from dashboards.entries import Entry

LAG_WARN, LAG_BAD = 500.0, 5_000.0
"""Records: half a minute's and a few minutes' worth of blocks at four a second and partition."""
_LAGS = look.bounds((0.0, look.GOOD), (LAG_WARN, look.WARN), (LAG_BAD, look.BAD))
_SILENT = look.bounds((0.0, look.GOOD), (told.SILENT_AFTER_S, look.BAD))
_MISSING = look.bounds((0.0, look.GOOD), (1.0, look.BAD))
_OF_SUBJECTS = {"calls": Text("Calls", "话务"), "tickets": Text("Tickets", "诉求")}


def silent() -> Entry:
    """Who does not speak any more."""
    title = Text("Silent processes", "失联进程")
    about = Text(
        "Processes that told something within a day and nothing for {after} s: dead, hanging, or taken out of service.",
        "一天内有过通报、但已{after}秒无通报的进程:已终止、停滞或已停用。",
    ).format(after=told.SILENT_AFTER_S)
    return plain.number("silent processes", title, about, told.silent, steps=_MISSING)


def lag() -> Entry:
    """How much is written and not taken in."""
    title = Text("Lag, records", "积压(记录数)")
    about = Text(
        "Records that are written and not yet taken in by who reads them: events by intake and measure, outputs of "
        "measure by roll and the sink. As each process last told it.",
        "已写入但尚未被读取方处理的记录:事件由接入与测量读取,测量输出由滚动计算与入库读取。以各进程最近一次通报为准。",
    )
    return plain.number("lag", title, about, told.lag, steps=_LAGS)


def starts() -> Entry:
    """How often processes began of late."""
    title = Text("Starts of processes, 24 h", "近24小时进程启动次数")
    about = Text(
        "Starts of workers, roll and the sink in the last 24 hours; the table tells whose.",
        "近24小时内工作进程、滚动计算与入库进程的启动次数,明细见下表。",
    )
    return plain.number("starts", title, about, told.starts)


def differing() -> Entry:
    """What the last comparison found."""
    title = Text("Reconcile, differences", "核对差异")
    about = Text(
        "Sums and rows that differed when `hotline reconcile` last compared what is stored with what it was made of.",
        "最近一次 `hotline reconcile` 将存储内容与其来源核对时,不一致的和与行数。",
    )
    return plain.number("reconcile differences", title, about, told.differing, steps=_MISSING)


def processes() -> Entry:
    """A line for each process."""
    title = Text("Processes", "进程")
    about = Text(
        "When each process last told something, its starts of the last 24 hours, its memory, and the records that "
        "wait for it. Each tells every {every} s.",
        "各进程最近一次通报、近24小时启动次数、内存与待处理记录。每{every}秒通报一次。",
    ).format(every=TELL_EVERY_S)
    columns = {
        "process": Text("Process", "进程"),
        "age_s": Text("Told", "最近通报"),
        "starts": Text("Starts, 24 h", "24小时启动"),
        "mib": Text("Memory", "内存"),
        "behind": Text("Lag, records", "积压(记录数)"),
    }
    units = {"age_s": look.AGE_UNIT, "mib": plain.MIB}
    limits = {"age_s": _SILENT, "behind": _LAGS}
    return plain.table("processes", title, about, told.processes, columns, units=units, limits=limits)


def lag_trend() -> Entry:
    """What was written and not taken in, over time."""
    title = Text("Lag by topic, records", "各主题积压(记录数)")
    about = Text(
        "The most records that waited for who reads the topic; a gap where nobody told.",
        "各主题等待读取的最大记录数;无通报处为空白。",
    )
    columns = {
        "intake": Text("Single events", "单条事件"),
        "calls": Text("Calls: events", "话务:事件"),
        "tickets": Text("Tickets: events", "诉求:事件"),
        "calls_measured": Text("Calls: outputs", "话务:输出"),
        "tickets_measured": Text("Tickets: outputs", "诉求:输出"),
    }
    return plain.lines("lag trend", title, about, told.lag_series, columns)


def insert_time() -> Entry:
    """How long a batch takes."""
    title = Text("Insert time of a batch", "每批入库耗时")
    about = Text(
        "Seconds that the sink spent on a batch, on the average: spool, tables, marks.",
        "入库进程每批平均耗时(秒):落盘、写表、标记。",
    )
    columns = {"insert_s": Text("Seconds a batch", "每批秒数")}
    return plain.lines("insert time", title, about, told.insert_series, columns, unit=look.SECONDS, decimals=3)


def rates() -> Entry:
    """How much is stored."""
    title = Text("Events stored a second", "每秒入库事件数")
    about = Text(
        "Events that the sink stored a second, whenever they happened: a replay of last year counts now. Repeats are "
        "none.",
        "入库进程每秒写入的事件数,按入库时间而非事件时间计(回放去年数据计在当前);重复事件不计。",
    )
    return plain.lines("rates", title, about, told.rate_series, _OF_SUBJECTS, decimals=1)


def memory() -> Entry:
    """What measure has at hand."""
    title = Text("Memory of calls and tickets", "话务与诉求内存占用")
    about = Text(
        "What measure has at hand: the calls and tickets that will change again, and the numbers of the others of "
        "their days. Bounded by the setting `warm_bytes_max`.",
        "测量阶段保留在内存中的内容:仍会变化的话务与诉求,及同日其他条目的编号。上限由设置 `warm_bytes_max` 决定。",
    )
    mib = Text(plain.MIB, plain.MIB)
    return plain.lines("memory", title, about, told.memory_series, _OF_SUBJECTS, unit=mib, decimals=1)


def reconciliations() -> Entry:
    """What comparisons found."""
    title = Text("Comparisons by reconcile", "核对记录")
    about = Text(
        "Each run of `hotline reconcile`: what it compared, and how much differed. See the runbook for differences.",
        "历次 `hotline reconcile` 的核对范围与差异数。出现差异时见运维手册。",
    )
    columns = {
        "reconciled_at": Text("When", "时间"),
        "first_at": Text("From", "起"),
        "until_at": Text("Until", "止"),
        "sums_differ": Text("Sums that differ", "不一致的和"),
        "rows_differ": Text("Rows that differ", "不一致的行"),
        "cells": Text("Sums compared", "核对的和"),
        "rows": Text("Rows compared", "核对的行"),
    }
    limits = dict.fromkeys(("sums_differ", "rows_differ"), plain.FAULTS)
    return plain.table("reconciliations", title, about, told.reconciliations, columns, limits=limits)

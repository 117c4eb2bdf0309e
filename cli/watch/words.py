"""The board's own words in both languages; names of KPIs and of scope kinds come from the catalogue."""

from collections.abc import Mapping

from cli.asking import Lang

WORDS: Mapping[str, tuple[str, str]] = {
    "calls": ("Calls", "话务"),
    "tickets": ("Tickets", "诉求"),
    "surveys": ("Surveys", "评价"),
    "health": ("Health", "运行"),
    "as_of": ("as of {at}", "截至 {at}"),
    "no_instant": ("no figures yet", "尚无数据"),
    "live": ("live", "实时"),
    "late": ("{age} old", "已过{age}"),
    "newest": ("newest event: {ages}", "最新事件:{ages}"),
    "newest_calls": ("calls {age} ago", "话务 {age}前"),
    "newest_tickets": ("tickets {age} ago", "诉求 {age}前"),
    "silent": (
        "! STANDING STILL for {age}: the figures are of {at}, see 4 Health",
        "! 数据停滞{age}:所示为 {at} 的数值,请看 4 运行",
    ),
    "no_events_calls": ("! no call event for {age}", "! 已有{age}没有话务事件"),
    "no_events_tickets": ("! no ticket event for {age}", "! 已有{age}没有诉求事件"),
    "joining": ("Looking for the stack", "正在查找服务"),
    "no_stack": ("No stack runs: start one with  hotline up", "服务未运行:请用 hotline up 启动"),
    "no_broker": ("The broker does not answer; waiting for it to come back", "消息代理没有应答,正在等待其恢复"),
    "no_topic": (
        "Nothing publishes live figures yet: waiting for a worker with the agent roll",
        "尚无实时数据:正在等待 roll 代理开始发布",
    ),
    "no_values": (
        "The topic of live figures is empty: waiting for the agent roll to publish",
        "实时数据主题为空:正在等待 roll 代理发布",
    ),
    "no_rows": ("nothing to show by {kind} yet", "尚无按{kind}的数据"),
    "not_kept": ("not kept by {kind}", "不按{kind}统计"),
    "target": ("target", "目标"),
    "last_hour": ("last hour", "近1小时"),
    "kpi": ("KPI", "指标"),
    "now": ("now", "当前"),
    "by": ("by {kind}", "按{kind}"),
    "unnamed": ("(none stated)", "(未填写)"),
    "rows": ("{first}–{last} of {count}", "第{first}–{last}项,共{count}项"),
    "most_first": ("most first", "按数量"),
    "worst_first": ("worst first", "最差在前"),
    "worst_by": ("worst {kpi} first", "按{kpi}最差在前"),
    "most_by": ("most {kpi} first", "按{kpi}从多到少"),
    "key_all": ("all", "全部"),
    "key_sort": ("sort", "排序"),
    "key_window": ("window", "时段"),
    "key_scroll": ("scroll", "滚动"),
    "key_screen": ("screen", "换屏"),
    "key_lang": ("中文", "English"),
    "key_quit": ("quit", "退出"),
    "day": ("{n} d", "{n}天"),
    "hour": ("{n} h", "{n}小时"),
    "minute": ("{n} min", "{n}分钟"),
    "second": ("{n} s", "{n}秒"),
    "asking": ("Asking the parts", "正在询问各部分"),
    "stack": ("Stack", "服务"),
    "running": ("running", "运行中"),
    "starting": ("starting", "启动中"),
    "stopping": ("stopping", "停止中"),
    "stopped": ("stopped", "已停止"),
    "foreign": ("run by others", "由他方运行"),
    "lag": ("Lag", "积压"),
    "records": ("{n} records", "{n}条记录"),
    "stored": ("Stored", "入库速度"),
    "events_a_s": ("{n} events/s", "{n}件/秒"),
    "batches": ("{n} batches/s, {ms} ms each", "每秒{n}批,每批{ms}毫秒"),
    "newest_stored": ("newest stored event {age} ago", "最新入库事件 {age}前"),
    "parts_answer": ("{n} of {of} answer", "{of}个中{n}个应答"),
    "dead": ("Dead letters, last hour", "近1小时死信"),
    "part": ("part", "部分"),
    "state": ("state", "状态"),
    "answers": ("answers", "应答"),
    "silent_part": ("no answer", "无应答"),
    "down": ("down", "停止"),
    "process": ("process", "进程"),
    "up_for": ("up for", "已运行"),
    "restarts": ("restarts seen", "重启次数"),
    "address": ("address", "地址"),
    "topic": ("topic", "主题"),
    "partition": ("partition", "分区"),
    "position": ("stored to", "已存至"),
    "behind": ("not stored", "未入库"),
    "reason": ("dead letters by reason", "死信原因"),
    "recent": ("last hour", "近1小时"),
    "total": ("all", "全部"),
    "no_dead": ("no dead letters", "没有死信"),
    "no_sink": ("the sink does not answer", "入库进程没有应答"),
    "trouble": ("the sink waits for the {part}: {why}", "入库进程正在等待{part}:{why}"),
}


def word(name: str, lang: Lang, **values: object) -> str:
    """A word or sentence of the board."""
    english, chinese = WORDS[name]
    return (chinese if lang is Lang.ZH else english).format(**values)


def kind_word(kind: str, lang: Lang) -> str:
    """The name of a scope kind."""
    from hotline.catalogue import SCOPE_NAMES

    return SCOPE_NAMES[kind][lang is Lang.ZH]


def scope_word(kind: str, scope: str, lang: Lang) -> str:
    """The name of a scope as a terminal may have it: names come from outside, and may hold what a terminal obeys."""
    from hotline.events import CHINESE

    if lang is Lang.ZH:
        scope = CHINESE.get(kind, {}).get(scope, scope)
    return harmless(scope) or word("unnamed", lang)


def harmless(text: str) -> str:
    """A text with everything escaped that does not show itself."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def window_word(name: str, lang: Lang) -> str:
    """The title of a window, or of the instant itself."""
    from hotline.windows import NOW, WINDOWS

    if name == NOW:
        return word("now", lang)
    window = next(window for window in WINDOWS if window.name == name)
    return window.title_zh if lang is Lang.ZH else window.title


def age_word(age_s: float, lang: Lang) -> str:
    """An age, in its largest unit that is not 0; hours with their minutes."""
    seconds = max(0, int(age_s))
    if seconds < 60:
        return word("second", lang, n=seconds)
    if seconds < 3600:
        return word("minute", lang, n=seconds // 60)
    if seconds < 86_400:
        hours = word("hour", lang, n=seconds // 3600)
        minutes = word("minute", lang, n=seconds // 60 % 60)
        return f"{hours} {minutes}" if lang is Lang.EN else f"{hours}{minutes}"
    return word("day", lang, n=seconds // 86_400)

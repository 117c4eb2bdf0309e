"""What the reader may use: functions, table functions, tables, settings. Whatever is not here is refused.

Decided by what a thing can reach. Functions that compute from their arguments come by the engine's own categories, so
that a new engine brings new arithmetic along; functions of mixed categories are named one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# Rows from nothing, from their own arguments, or from a query that is itself checked. Not here, though they sound
# harmless: `format` and `null`, whose structures may compute defaults, `merge`, which
# names tables by a pattern.
TABLE_FUNCTIONS = frozenset(
    {"numbers", "numbers_mt", "zeros", "zeros_mt", "primes", "generateseries", "generate_series"} | {"values", "view"}
)
# Not here: AI, Dictionary, Embedded Dictionary, Introspection, Machine Learning (servers, files, addresses of memory),
# Internal, Time Series (state of the server), Encryption (keys would stand in statements and in the log).
CATEGORIES = frozenset(
    {
        *("Arithmetic", "Arrays", "Bit", "Bitmap", "Comparison", "Conditional", "Dates and Times", "Distance"),
        *("Encoding", "Financial", "Geo", "Geo Polygon", "Hash", "IP Address", "JSON", "Logical", "Map"),
        *("Mathematical", "Null", "NumericIndexedVector", "QBit", "Random Number", "Rounding", "String"),
        *("String Replacement", "String Search", "String Splitting", "Time Window", "Tuple", "Type Conversion"),
        *("URL", "UUID"),
    }
)
# Of the category Other those that tell nothing of host, process or other requests.
OTHER_FUNCTIONS = frozenset(
    {
        *("bar", "blocknumber", "blocksize", "rownumberinblock", "rownumberinallblocks", "neighbor", "identity"),
        *("runningdifference", "runningdifferencestartingwithfirstvalue", "runningaccumulate", "materialize"),
        *("ignore", "indexhint", "totypename", "tocolumntypename", "bytesize", "isconstant", "isdecimaloverflow"),
        *("formatreadablesize", "formatreadabledecimalsize", "formatreadablequantity", "formatreadabletimedelta"),
        *("parsereadablesize", "parsereadablesizeornull", "parsereadablesizeorzero", "parsetimedelta"),
        *("parseiso8601duration", "transform", "throwif", "sleep", "sleepeachrow", "version", "revision"),
        *("currentdatabase", "currentuser", "globalvariable", "getsetting", "getsettingordefault"),
        *("finalizeaggregation", "initializeaggregation", "countdigits", "digits", "visiblewidth"),
        *("lowcardinalityindices", "lowcardinalitykeys", "defaultvalueofargumenttype", "defaultvalueoftypename"),
        *("errorcodetoname", "flipcoordinates", "getsizeofenumtype", "getsubcolumn", "varianttype"),
        *("variantelement", "minsamplesizecontinuous", "minsamplesizeconversion", "macnumtostring"),
        *("macstringtonum", "macstringtooui", "formatquery", "formatqueryornull", "formatquerysingleline"),
        *("formatquerysinglelineornull", "normalizequery", "normalizedqueryhash", "tokenizequery"),
        *("colorsrgbtooklch", "coloroklchtosrgb", "colorsrgbtooklab", "coloroklabtosrgb"),
    }
)
# What the parser itself writes for lambdas, casts, EXISTS, GROUPING and CASE, and what no list of functions has.
WRITTEN_BY_THE_PARSER = frozenset({"lambda", "_cast", "exists", "grouping", "untuple", "casewithexpression", "nested"})
SYSTEM_TABLES = frozenset(
    {
        *("one", "numbers", "numbers_mt", "zeros", "zeros_mt", "databases", "tables", "columns", "functions"),
        *("table_functions", "formats", "settings", "time_zones", "data_type_families", "table_engines", "keywords"),
        *("aggregate_function_combinators", "collations"),
    }
)
INFORMATION_SCHEMAS = frozenset({"information_schema", "INFORMATION_SCHEMA"})
# Engines whose tables are the engine's own; URL, File, MySQL, Dictionary, Distributed, Merge … reach elsewhere.
TABLE_ENGINES = frozenset({"Memory", "Log", "TinyLog", "StripeLog", "Null", "Set"})
_MERGE_TREE = "MergeTree"
# Settings that change how a result is computed or written, of this request alone.
SETTINGS = frozenset(
    {
        *("max_execution_time", "max_memory_usage", "max_result_rows", "max_result_bytes", "max_rows_to_read"),
        *("max_bytes_to_read", "max_threads", "max_block_size", "limit", "offset", "final", "extremes"),
        *("session_timezone", "join_use_nulls", "group_by_use_nulls", "union_default_mode", "log_comment"),
        *("date_time_output_format", "date_time_input_format", "cast_string_to_dynamic_use_inference"),
        *("count_distinct_implementation", "aggregate_functions_null_for_empty", "prefer_column_name_to_alias"),
        *("format_csv_delimiter", "format_csv_null_representation", "format_tsv_null_representation"),
        *("enable_http_compression", "http_zlib_compression_level", "http_wait_end_of_query"),
        *("send_progress_in_http_headers", "http_headers_progress_interval_ms"),
        *("http_write_exception_in_output_format", "cancel_http_readonly_queries_on_client_close"),
    }
)
_OUTPUT_SETTINGS = "output_format_"
_FILE_SETTINGS = frozenset({"output_format_schema"})  # names a file that would be written


def may_set(name: str) -> bool:
    """Whether the reader may set this setting; limits are bounded elsewhere."""
    return name in SETTINGS or (name.startswith(_OUTPUT_SETTINGS) and name not in _FILE_SETTINGS)


def is_local_engine(engine: str) -> bool:
    """Whether tables of this engine keep their rows in the data folder or in memory."""
    return engine in TABLE_ENGINES or engine.endswith(_MERGE_TREE)


@dataclass(frozen=True)
class Function:
    """A function of the engine: its name, its category, the name it is an alias of, or ""; ordinary or aggregate."""

    name: str
    category: str
    alias_of: str
    aggregate: bool
    builtin: bool


class Functions:
    """The functions of an engine, sorted into allowed and refused; names are compared in lower case."""

    def __init__(self, known: Iterable[Function], combinators: Iterable[str]) -> None:
        listed = list(known)
        self._aggregates = {f.name.lower() for f in listed if f.aggregate}
        self._combinators = tuple(name.lower() for name in combinators)
        by_alias_first = sorted(listed, key=lambda f: not f.alias_of)  # timeZone is an alias of timezone
        plain = {f.name.lower(): f for f in by_alias_first if not f.aggregate}
        self._allowed = WRITTEN_BY_THE_PARSER | {name for name, f in plain.items() if _is_allowed(f, plain)}
        self._refused = frozenset(plain) - self._allowed - self._aggregates

    def allows(self, name: str) -> bool:
        """Whether it may be called."""
        lower = name.lower()
        return lower in self._allowed or self._is_aggregate(lower)

    def refuses(self, name: str) -> bool:
        """Whether the engine has it and it may not be used: a bare name can be a function too (arrayMap(file, …))."""
        return name.lower() in self._refused

    def _is_aggregate(self, name: str) -> bool:
        """Aggregates reach nothing but their arguments, with any combinators behind them (sumIf, uniqArrayState)."""
        if name in self._aggregates:
            return True
        shorter = (name.removesuffix(c) for c in self._combinators if name.endswith(c))
        return any(self._is_aggregate(rest) for rest in shorter if rest)


def _is_allowed(function: Function, known: dict[str, Function]) -> bool:
    target = known.get(function.alias_of.lower(), function) if function.alias_of else function
    return target.builtin and (target.category in CATEGORIES or target.name.lower() in OTHER_FUNCTIONS)

"""What a tool reaches, and whether it is for few, as far as its definition tells."""

import re

import pytest
from build import Log
from folding import fold
from hypothesis import given
from hypothesis import strategies as st
from rpc import ask, call, result, tool

from mcpwatch.model.entries import Json
from mcpwatch.model.tools import ToolClass
from mcpwatch.traffic.tool_class import DESTRUCTIVE, MAX_TEXT, classes_of_name, classes_of_uri, classify
from mcpwatch.traffic.tool_signals import SIGNALS


def takes(*names: str, **schemas: Json) -> Json:
    """A schema with these parameters, strings unless said otherwise."""
    return {"type": "object", "properties": {name: {"type": "string"} for name in names} | schemas}


def classed(name: str, description: str = "", schema: Json = None, **more: Json) -> str:
    """The classes of a tool, joined with blanks."""
    return " ".join(classify(name, tool(name, description, **more, inputSchema=schema or takes())).classes)


@pytest.mark.parametrize(
    ("classes", "name", "description", "parameters"),
    [
        ("sql", "query_database", "", ()),
        ("sql", "stock_report", "Runs a SQL statement over the stock.", ()),
        ("sql", "stock_report", "", ("rawQuery",)),
        ("file", "read_file", "", ()),
        ("file", "list_directory", "", ()),
        ("file", "summarise", "", ("filePath",)),
        ("file", "log_tail", "Returns the end of a log file.", ()),
        ("write", "deleteNote", "", ("id",)),
        ("write", "notes.delete", "", ()),
        ("write", "add_member", "", ()),
        ("exec", "spawn_process", "", ()),
        ("exec", "helper", "", ("command",)),
        ("exec", "run_python", "", ()),
        ("exec", "numbers", "Evaluates a JavaScript expression for each number.", ()),
        ("template", "render", "", ("numbers", "template")),
        ("template", "greeting", "Fills the given template.", ()),
        ("xml", "metadata", "", ("xml",)),
        ("fetch", "fetch", "", ("url",)),
        ("fetch", "list_issues", "", ()),
        ("fetch", "read_inbox", "", ()),
        ("fetch", "summary", "Reads a web page and sums it up.", ()),
        ("send", "send_mail", "", ()),
        ("send", "create_issue", "", ()),
        ("send", "helper", "", ("subject", "to")),
        ("send", "helper", "", ("webhook_url",)),
        ("secrets", "get_config", "", ()),
        ("secrets", "list_api_keys", "", ()),
        ("secrets", "status", "Shows the API keys of the project.", ()),
        ("people", "search_users", "", ("name",)),
        ("people", "lookup", "Returns personal data of an applicant.", ()),
    ],
)
def test_a_tool_is_of_the_class_that_its_definition_speaks_for(
    classes: str, name: str, description: str, parameters: tuple[str, ...]
) -> None:
    assert classes in classed(name, description, takes(*parameters)).split()


@pytest.mark.parametrize(
    ("name", "description", "parameters"),
    [
        ("forecast", "The weather of a city for the next days.", ("city", "context")),
        ("stations", "Names of the stations.", ()),
        ("add", "Adds two numbers.", ("a", "b")),
        ("add_numbers", "", ("numbers",)),
        ("search_notes", "Finds notes that hold all words.", ("query",)),
        ("lookup_order", "An order and where it is.", ("number",)),
        ("fetch_order", "An order by its number.", ("number",)),
        ("run_build", "Build a project; reports each step.", ("project", "seconds")),
        ("run_tests", "Run a shard of the tests.", ("project", "shard")),
        ("list_builds", "Builds of a project.", ("project",)),
        ("count_tokens", "Counts the tokens of a text.", ("text",)),
        ("list_posts", "Blog posts related to a topic.", ("topic",)),
        ("get_update", "The newest update.", ()),
        ("convert", "Converts an amount between currencies.", ("from", "to", "country_code")),
        ("list_terminals", "Terminals of an airport.", ("airport",)),
        ("render_chart", "Draws a chart.", ("numbers",)),
        ("template_gallery", "", ()),
        ("get_settings", "How the screen looks.", ()),
    ],
)
def test_an_everyday_tool_is_of_no_class(name: str, description: str, parameters: tuple[str, ...]) -> None:
    assert classed(name, description, takes(*parameters)) == ""


def test_a_tool_may_be_of_several_classes_and_each_has_its_reason() -> None:
    classes, why, _ = classify("read_file", tool("read_file", inputSchema=takes("path", "url")))
    assert classes == (ToolClass.FILE, ToolClass.FETCH)
    assert why == 'file: its name says "read file"; fetch: it takes "url"'


def test_what_takes_a_file_or_an_address_and_does_not_read_from_it_is_not_of_the_class_that_reads() -> None:
    assert classed("write_file", "", takes("file_path", "text")) == "write"
    assert classed("rotate_keys") == "write"
    assert classed("post_form", "", takes("url", "data")) == "send"


def test_two_parameters_together_are_told_together() -> None:
    assert classify("helper", {"inputSchema": takes("body", "to", "cc")}).why == 'send: it takes "body" and "to"'
    assert classify("helper", {"inputSchema": takes("to", "cc")}).classes == ()


def test_a_parameter_whose_format_is_a_uri_and_one_inside_another_count() -> None:
    assert classed("summary", "", takes(page={"type": "string", "format": "uri"})) == "fetch"
    inside = takes(steps={"type": "array", "items": takes("shell_command")})
    assert classed("helper", "", inside) == "exec"


def test_hints_count_and_a_title_is_read() -> None:
    assert classed("helper", annotations={"readOnlyHint": True, "openWorldHint": True}) == "fetch"
    assert classed("helper", annotations={"openWorldHint": True}) == ""
    assert classed("helper", annotations={"destructiveHint": True}) == "write"
    assert classed("helper", title="Deletes all records") == "write"


def test_no_claim_takes_a_class_away() -> None:
    assert classed("delete_note", annotations={"readOnlyHint": True, "destructiveHint": False}) == "write"


@pytest.mark.parametrize(
    ("why", "definition"),
    [
        ('its access level is "admin"', {"accessLevel": "admin"}),
        ('its access level is "admin"', {"annotations": {"access_level": "admin"}}),
        ('its access level is "admin:org"', {"_meta": {"access-level": "admin:org"}}),
        ('its roles is "admin, root"', {"roles": ["admin", "root"]}),
        ("it says admin only", {"adminOnly": True}),
        ('its description says "administrators only"', {"description": "All accounts. Administrators only."}),
        ('its description says "requires admin"', {"description": "Requires admin rights."}),
        ('its description says "internal use"', {"description": "For internal use only."}),
        ('its description says "as root"', {"description": "Restarts the service as root."}),
        (DESTRUCTIVE, {"annotations": {"destructiveHint": True}}),
    ],
)
def test_what_says_that_a_tool_is_for_few(why: str, definition: dict[str, Json]) -> None:
    assert classify("helper", definition).privileged == why


@pytest.mark.parametrize("name", ["admin_export", "listAdminUsers", "sudo-restart", "internal_api_call"])
def test_a_name_says_that_a_tool_is_for_few(name: str) -> None:
    assert classify(name).privileged.startswith("its name says")


@pytest.mark.parametrize(
    ("name", "definition"),
    [
        ("administer_survey", {"description": "Administers a survey to everybody."}),
        ("list_roots", {"description": "The root folders."}),
        ("root_cause", {"description": "Finds the root of a number, or the root cause."}),
        ("search_internal_docs", {"description": "Documents of the company, on the internal network."}),
        ("close", {"accessLevel": "public", "visibility": "everybody"}),
        ("close", {"roles": ["user", "admin"]}),
        ("close", {"roles": [], "permissions": {"admin": True}, "adminOnly": "no", "privileged": False}),
        ("grant_role", {"inputSchema": takes("role", "admin")}),
        ("close", {"annotations": {"destructiveHint": False}}),
        ("find_courses", {"description": "Courses in business administration."}),
    ],
)
def test_what_sounds_alike_is_for_everybody(name: str, definition: dict[str, Json]) -> None:
    assert classify(name, definition).privileged == ""


@pytest.mark.parametrize(
    ("uri", "classes"),
    [
        ("file:///etc/hosts", "file"),
        ("FILE:///x", "file"),
        ("https://x.example", "fetch"),
        ("http://x.example", "fetch"),
        ("note://file", ""),
        ("httpx:", ""),
        ("", ""),
    ],
)
def test_a_resource_is_of_the_class_of_its_scheme(uri: str, classes: str) -> None:
    assert " ".join(classes_of_uri(uri)) == classes


def test_every_class_has_signals_and_none_matches_where_nothing_is_said() -> None:
    assert {signal.kind for signal in SIGNALS} == set(ToolClass)
    assert not [signal for signal in SIGNALS if re.search(signal.pattern, "")]


json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["properties", "items", "annotations", "_meta", "roles", "inputSchema", "command"])
            | st.text(max_size=8),
            inner,
            max_size=4,
        )
    ),
)


@given(st.text(), json)
def test_whatever_the_definition_is_nothing_raises_and_each_class_is_there_once_with_its_reason(
    name: str, definition: Json
) -> None:
    classes, why, privileged = classify(name, definition)
    assert len(set(classes)) == len(classes)
    assert bool(why) == bool(classes)
    assert all(f"{kind}: " in why for kind in classes)
    assert isinstance(privileged, str)


@given(st.text(alphabet="abcdefg _-./A", max_size=60), json)
def test_a_definition_adds_to_what_the_name_tells(name: str, definition: Json) -> None:
    assert set(classes_of_name(name)) <= set(classify(name, definition).classes)


def test_text_past_the_bound_is_not_read_and_a_deep_schema_ends() -> None:
    assert classed("x", "a" * MAX_TEXT + " SQL") == ""
    deep: Json = {}
    for _ in range(5_000):
        deep = {"items": deep, "properties": {"a": deep}}
    assert classed("x", "", deep) == ""


def test_a_listed_tool_and_its_calls_are_classed() -> None:
    log = Log()
    log.exchange(ask(1, "tools/list"), result(1, {"tools": [tool("helper", "Runs a SQL query.")]}), session="s1")
    log.exchange(call(2, "helper"), result(2), session="s1")
    log.exchange(ask(3, "tools/list"), result(3, {"tools": [tool("helper", "Admin only.")]}), session="s1")
    log.exchange(call(4, "helper"), result(4), session="s1")
    log.exchange(call(5, "read_file"), result(5), session="s1")
    log.exchange(ask(6, "resources/read", {"uri": "file:///etc/hosts"}), result(6), session="s1")
    log.exchange(ask(7, "prompts/get", {"name": "read_file"}), result(7), session="s1")
    folded = fold(log)
    (one,) = folded.traffic.tools.values()
    assert (one.classes, one.classed_by, one.privileged) == ((), "", 'its description says "admin only"')
    assert [each.classes for each in folded.calls] == [
        (),
        (ToolClass.SQL,),
        (),
        (),
        (ToolClass.FILE,),
        (ToolClass.FILE,),
        (),
    ]

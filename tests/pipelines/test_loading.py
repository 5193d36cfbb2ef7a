"""Loading: one sound package of two contexts, and for every kind of mistake in it the line a user reads."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import pytest

from pipelines.declarations import Context, Decode, UnknownCode
from pipelines.errors import DeclarationError
from pipelines.loading import load
from pipelines.soundness.kinds import nearest_rule

HERE = Path(__file__).parent
POLICY = (HERE / "company" / "policy.py").read_text(encoding="utf-8")
BROKER = (HERE / "company" / "broker.py").read_text(encoding="utf-8")

numbers = itertools.count()


@pytest.fixture
def declare(tmp_path, monkeypatch):
    """Write a package of context files, outside this repository, and name it."""

    def write(**files: str) -> str:
        name = f"company{next(numbers)}_contexts"
        (tmp_path / name).mkdir()
        for file, text in {"__init__": "", **files}.items():
            (tmp_path / name / f"{file}.py").write_text(text, encoding="utf-8")
        return name

    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    return write


def problems(package: str) -> list[str]:
    """What loading has against a package: `path: message (suggestion)`."""
    with pytest.raises(DeclarationError) as raised:
        load(package)
    return [str(problem).removeprefix(f"{problem.file}: ") for problem in raised.value.problems]


def changed(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times"
    return text.replace(old, new)


def test_a_sound_package_loads(declare):
    package = declare(policy=POLICY, broker=BROKER)

    portfolio = load(package)

    assert [context.name for context in portfolio.contexts] == ["broker", "policy"]
    assert all(isinstance(context, Context) for context in portfolio.contexts)
    assert portfolio.file_of(portfolio.contexts[1]) == f"{package}/policy.py"


def test_a_changed_file_is_read_again(declare, tmp_path):
    package = declare(policy=POLICY, broker=BROKER)
    load(package)
    (tmp_path / package / "policy.py").write_text(changed(POLICY, 'Same("SHARE")', 'Same("SHAER")'), encoding="utf-8")

    assert problems(package)[0].startswith("policy.policies.fields.share.rule: unknown column")


def mistakes():
    """The blocks of `mistakes.txt`, each a parameter set named by its heading."""
    return [mistake(block) for block in (HERE / "mistakes.txt").read_text(encoding="utf-8").split("\n# ")[1:]]


def mistake(block):
    name, *lines = block.strip().splitlines()
    olds, news, expected = ([line[2:] for line in lines if line.startswith(mark)] for mark in ("- ", "+ ", "> "))
    pairs = [(old.replace("\\n", "\n"), new.replace("\\n", "\n")) for old, new in zip(olds, news, strict=True)]
    return pytest.param(pairs, expected, id=name)


def spoilt(pairs):
    """Both files with each pair applied in the one where it is found."""
    policy, broker = POLICY, BROKER
    for old, new in pairs:
        if old in policy:
            policy = changed(policy, old, new)
        else:
            broker = changed(broker, old, new)
    return {"policy": policy, "broker": broker}


@pytest.mark.parametrize(("pairs", "expected"), mistakes())
def test_a_mistake_is_named(declare, pairs, expected):
    package = declare(**spoilt(pairs))

    found = problems(package)
    assert [cut(line, wanted) for line, wanted in zip(found, expected, strict=False)] + found[len(expected) :] == [
        line.replace("{package}", package) for line in expected
    ]


def cut(line, wanted):
    """The line as far as it is expected: an expectation that ends in ... leaves the rest open."""
    return f"{line[: len(wanted) - 3]}..." if wanted.endswith("...") else line


def test_all_mistakes_of_all_files_are_told_at_once_with_their_lines(declare):
    files = spoilt([
        ("STATUS <> 'TEST'", "STATE <> 'TEST'"),
        ('Same("SHARE")', 'Same("SHAER")'),
        ('Scale("CENTS", "0.01")', 'Same("CENTS")'),
        ("horizon=3", "horizon=-3"),
        ("ServiceLevel(0.01, warn=0.001)", "ServiceLevel(1, worn=0.5)"),
        ("0 6 * * 1-5", "0 6 * *"),
        ('Same("NAME")', 'Same("NAMEN")'),
        ("Text()", "Day()"),
    ])  # fmt: skip
    package = declare(**files)

    with pytest.raises(DeclarationError, match="8 declaration problems:") as raised:
        load(package)

    assert [(problem.file, problem.path) for problem in raised.value.problems] == [
        (place(package, "broker", 'Field("name"', files), "broker.brokers.fields.name.rule"),
        (place(package, "broker", 'Field("name"', files), "broker.brokers.fields.name.compare"),
        (place(package, "policy", "Entity(\n", files), "policy.policies.horizon"),
        (place(package, "policy", "legacy=Holder(", files), "policy.policies.legacy.scope"),
        (place(package, "policy", 'Same("CENTS")', files), "policy.policies.fields.premium.rule"),
        (place(package, "policy", 'Same("SHAER")', files), "policy.policies.fields.share.rule"),
        (place(package, "policy", "ServiceLevel(1", files), "ServiceLevel.worn"),
        (place(package, "policy", "Context(\n", files), "policy.schedule"),
    ]


def place(package, module, text, files):
    """File and line of a text, as a problem names them."""
    before = files[module][: files[module].index(text)]
    return f"{package}/{module}.py:{before.count(chr(10)) + 1}"


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ("code,meaning\nA,active\nB,blocked\nA,again\n", "line 4: A again"),
        ("meaning,code\nactive,A\nblocked\n", "line 3: expected 2 values"),
        ("code,meaning\nA,active, for now\n", "line 2: expected 2 values"),
        ("code,meaning\nA\n", "line 2: expected 2 values"),
        ('code,meaning\nA,"active" now\n', "',' expected after '\"'"),
        ("\ufeffcode,meaning\nA,active\nA,again\n", "line 3: A again"),
        ("code,meanings\nA,active\n", 'column "meaning" is missing; did you mean "meanings"?'),
        ("code;meaning\nA;active\n", 'column "code" is missing; did you mean "code;meaning"?'),
        ("code,meaning\nA,gr\udcfcn\n", "it is no UTF-8"),
    ],
)
def test_a_code_table_says_each_code_once(declare, tmp_path, table, why):
    (tmp_path / "codes.csv").write_text(table, encoding="utf-8", errors="surrogateescape")

    found = problems(declare(**spoilt([('{"A": "active"}', 'CodeTable("codes.csv")')])))

    assert found == [f"policy.policies.fields.status.rule: code table codes.csv cannot be read: {why}"]


@pytest.mark.parametrize("wanted", ["BIGINT[]", "STRUCT(a BIGINT)", "STRUCT(a BIGINT)[]"])
def test_no_rule_makes_what_is_nested(wanted):
    assert nearest_rule("VARCHAR", wanted).startswith("give the legacy column the service's type in its contract")


def test_settings_that_nothing_reads_are_told_with_the_other_mistakes(declare, monkeypatch):
    monkeypatch.setenv("COEXIST_THREDS", "2")

    told = problems(declare(policy=changed(POLICY, "horizon=3", "horizont=3"), broker=BROKER))

    assert 'COEXIST_THREDS: no such setting (did you mean "COEXIST_THREADS"?)' in told
    assert len(told) == 2


def test_a_file_that_cannot_be_read_hides_no_other_and_is_not_blamed_for_what_it_may_declare(declare):
    package = declare(policy=changed(POLICY, "horizon=3", "horizon=-3"), broker=BROKER + "\n)")

    assert problems(package) == [
        f"{package}.broker: SyntaxError: unmatched ')'",
        "policy.policies.horizon: counts earlier partitions, -3 is below zero",
    ]


class TestPackage:
    """Which package is read, and what is said when there is none."""

    def test_the_variable_names_a_package_outside_this_repository(self, declare, monkeypatch):
        monkeypatch.setenv("COEXIST_CONTEXTS", declare(broker=BROKER))

        assert [context.name for context in load().contexts] == ["broker"]

    def test_the_argument_wins(self, declare, monkeypatch):
        monkeypatch.setenv("COEXIST_CONTEXTS", "nowhere.contexts")

        assert [context.name for context in load(declare(broker=BROKER)).contexts] == ["broker"]

    def test_the_working_directory_is_on_the_path(self, declare, monkeypatch):
        package = declare(broker=BROKER)
        monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != str(Path.cwd())])

        assert [context.name for context in load(package).contexts] == ["broker"]

    def test_without_variable_it_is_that_of_this_repository(self, monkeypatch):
        monkeypatch.delenv("COEXIST_CONTEXTS", raising=False)
        monkeypatch.chdir(Path(__file__).parents[2])

        assert "banks" in [context.name for context in load().contexts]

    @pytest.mark.parametrize("name", ["nowhere", "nowhere.contexts"])
    def test_a_missing_one_is_named_with_what_was_tried(self, monkeypatch, name):
        monkeypatch.setenv("COEXIST_CONTEXTS", name)

        with pytest.raises(DeclarationError) as raised:
            load()

        (problem,) = raised.value.problems
        assert (problem.file, problem.path) == (name, "package")
        assert problem.message.startswith(
            f"there is no such package on the Python path (working directory: {Path.cwd()})"
        )
        assert problem.suggestion == f"from COEXIST_CONTEXTS={name}"

    def test_a_module_is_no_package(self, declare):
        package = declare(broker=BROKER)

        (problem,) = problems(f"{package}.broker")
        assert problem.startswith("package: is a module, not a package of modules")
        assert problem.endswith(f'did you mean "{package}"?)')

    @pytest.mark.parametrize("name", ["shop.context", "shopp.contexts", "shop/contexts"])
    def test_one_that_is_misspelt_is_named_as_it_is(self, tmp_path, monkeypatch, name):
        (tmp_path / "shop" / "contexts").mkdir(parents=True)
        monkeypatch.chdir(tmp_path)

        (problem,) = problems(name)
        assert problem.endswith('(the package that was asked for; did you mean "shop.contexts"?)')

    def test_the_package_around_it_is_none(self, tmp_path, monkeypatch):
        (tmp_path / "market" / "contexts").mkdir(parents=True)
        monkeypatch.chdir(tmp_path)

        (problem,) = problems("market")
        assert problem.endswith('(the package that was asked for; did you mean "market.contexts"?)')

    def test_a_package_without_contexts_declares_nothing(self, declare):
        assert problems(declare()) == ["context: the package declares no context (the package that was asked for)"]

    def test_modules_may_help_each_other(self, declare):
        shared = changed(BROKER, 'SALES = Owner("Sales")', "from .owners import SALES")

        portfolio = load(
            declare(broker=shared, owners='from pipelines.declarations import Owner\nSALES = Owner("Sales")')
        )

        assert portfolio.contexts[0].owner.team == "Sales"

    def test_a_context_is_declared_by_its_own_module_wherever_else_it_is_imported(self, declare):
        portfolio = load(declare(broker=BROKER, __init__="from .broker import context"))

        assert [context.name for context in portfolio.contexts] == ["broker"]


class TestPortfolio:
    """Finding entities in a loaded portfolio."""

    @pytest.fixture
    def portfolio(self, declare):
        return load(
            declare(
                policy=POLICY,
                broker=BROKER,
                address=changed(POLICY, 'Context(\n    "policy"', 'Context(\n    "address"'),
            )
        )

    def test_entities_that_are_referred_to_come_first(self, portfolio):
        assert [f"{context.name}.{entity.name}" for context, entity in portfolio.entities()] == [
            "broker.brokers",
            "address.policies",
            "policy.policies",
        ]

    def test_a_circle_of_references_is_no_mistake(self, declare):
        circle = BROKER
        for old, new in (
            ("NAME: pl.String", "NAME: pl.String\n    POLNO: pl.String"),
            ("name: pl.String", "name: pl.String\n    policy_no: pl.String"),
            ("Text()),", 'Text()), Field("policy_no", Reference("policy.policies", ("POLNO",)), Exact()),'),
        ):
            circle = changed(circle, old, new)

        portfolio = load(declare(policy=POLICY, broker=circle))

        assert [entity.name for _, entity in portfolio.entities()] == ["policies", "brokers"]

    @pytest.mark.parametrize(
        ("contexts", "entities", "expected"),
        [
            ((), (), ["broker.brokers", "address.policies", "policy.policies"]),
            (("policy",), (), ["policy.policies"]),
            ((), ("policies",), ["address.policies", "policy.policies"]),
            ((), ("address.policies",), ["address.policies"]),
            (("broker", "policy"), ("policies",), ["policy.policies"]),
        ],
    )
    def test_selecting(self, portfolio, contexts, entities, expected):
        selected = portfolio.select(contexts, entities)

        assert [f"{context.name}.{entity.name}" for context, entity in selected] == expected

    def test_selecting_what_is_not_there(self, portfolio):
        with pytest.raises(DeclarationError) as raised:
            portfolio.select(["polcy"], ["broker.broker"])

        assert [str(problem) for problem in raised.value.problems] == [
            'polcy: context: there is no such context (did you mean "policy"?)',
            'broker.broker: entity: there is no such entity (did you mean "broker.brokers"?)',
        ]

    def test_an_entity_by_its_path(self, portfolio):
        context, entity = portfolio.entity("broker.brokers")

        assert (context.name, entity.name) == ("broker", "brokers")
        with pytest.raises(DeclarationError, match=r'did you mean "broker\.brokers"'):
            portfolio.entity("broker.borkers")


def test_a_code_that_is_kept_is_a_text_among_the_meanings():
    assert Decode("A", {"1": 10}, unknown=UnknownCode.KEEP).problems() == ["meanings of different types: int, str"]

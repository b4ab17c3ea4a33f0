"""Labels as the verbs of `labels` read them, over both stores."""

from dataclasses import replace
from datetime import timedelta

from bot import cases, deeds, unlabelled
from bot.cases import Case
from bot.local.lessons import all_lessons, heard, to_learn
from bot.policy import rules_from
from bot.ports import CaseStore
from bot.tweets import Author
from bot.twitter.optouts import OptOuts
from bot.verdicts import Verdict
from tests.contract.examples import NOW, a_case

HOUR = timedelta(hours=1)
MIRA = Author("55", "Mira_Example", "Mira Example")


def said(case_id: str, *, escalate: bool, hours: int = 0, text: str | None = None) -> Case:
    case = a_case(case_id, NOW - hours * HOUR)
    case = replace(case, tweet=replace(case.tweet, text=text or f"text of {case_id}"))
    return deeds.labelled(case, "U1", NOW + hours * HOUR, escalate=escalate)


def by(author: Author, case: Case) -> Case:
    return replace(case, tweet=replace(case.tweet, author=author))


def never(_: str) -> bool:
    return False


def test_all_labels_are_read_the_last_given_first(store: CaseStore) -> None:
    store.add([said(str(number), escalate=True, hours=number) for number in range(1, 130)])
    store.add([a_case("unlabelled")])
    found = [lesson.id for lesson in all_lessons(store)]
    assert found == [str(number) for number in range(129, 0, -1)]


def test_what_was_erased_or_whose_author_opted_out_is_left_out(store: CaseStore) -> None:
    erased = cases.erased(said("1", escalate=True), NOW)
    store.add([erased, by(MIRA, said("2", escalate=True)), said("3", escalate=True)])
    store.add([by(Author("77", "river"), said("4", escalate=True))])
    # Known by one of her names alone, as in a file.
    store.add([by(Author(handle="mira_example"), said("5", escalate=True))])
    opt_outs = OptOuts(store, never)
    opt_outs.add(MIRA, NOW)
    opt_outs.add(Author("77", "river"), NOW, "U1")
    assert [lesson.id for lesson in all_lessons(store)] == ["3"]
    opt_outs.remove(Author("77", "river"))
    assert [lesson.id for lesson in all_lessons(store)] == ["4", "3"]


def test_what_contradicts_itself_or_is_gone_is_not_learnt(store: CaseStore) -> None:
    store.add([said("1", escalate=True, text="Where is it?", hours=1)])
    store.add([said("2", escalate=False, text="where is it", hours=2)])
    store.add([said("3", escalate=False, hours=3), said("4", escalate=True, text=" ")])
    found = to_learn(all_lessons(store))
    assert [lesson.id for lesson in found.kept] == ["3"]
    assert (found.contradicting, found.outdated) == (2, 1)
    found = to_learn(all_lessons(store), with_conflicts=True)
    assert [lesson.id for lesson in found.kept] == ["1", "2", "3"]


def test_what_to_ask_next_is_of_those_who_did_not_opt_out(store: CaseStore) -> None:
    verdict = Verdict(0.5, 0.5, "my parcel", "starter")
    store.add([by(MIRA, replace(a_case("1"), verdict=verdict))])
    store.add([replace(a_case("2"), verdict=verdict)])
    OptOuts(store, never).add(MIRA, NOW)
    cases_left = heard(store.newest(), store)
    found = unlabelled.to_ask(cases_left, 9, rules_from({}), 0.15, lambda _, __: 0.0)
    assert [question.id for question in found] == ["2"]

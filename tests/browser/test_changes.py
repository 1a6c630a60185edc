"""What people change at the console, in a real browser, under the real daemon: and who may not."""

from playwright.sync_api import expect

from support.browser import Visits
from support.watched_site import WatchedSite


def audited(site: WatchedSite, task: int) -> str:
    """Who asked, and why, as the audit log has it."""
    return " ".join(str(row) for row in site.deployment.rows("SELECT * FROM audit WHERE task = :task", task=task))


def newest(site: WatchedSite, url: str) -> int:
    return int(site.deployment.rows("SELECT MAX(id) AS id FROM publication_task_queue WHERE url = :url", url=url)[0]["id"])


def test_all_of_a_filter_are_tried_again(visit: Visits, watched_site: WatchedSite) -> None:
    """Three failed; their files come; one button, seen and confirmed, and they are live."""
    urls = [watched_site.course(f"repair-{number}", missing="lecture-02.htm") for number in range(3)]
    for task in [watched_site.insert(url) for url in urls]:
        watched_site.becomes(task, "FAILED")
    for url in urls:
        watched_site.course(url.rpartition("/")[2])
    page = visit("operator", name="olga").open("/queue")
    page.get_by_role("link", name="FAILED").click()
    page.get_by_label("Text", exact=True).fill("repair-")
    page.get_by_role("button", name="Filter").click()
    assert "text=repair-" in page.url
    expect(page.locator("table.tasks tbody tr")).to_have_count(3)
    page.get_by_label("all of this filter").check()
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_role("heading", name="Retry 3 tasks?")).to_be_visible()
    page.get_by_label("Why, for the record").fill("the files are there now")
    page.get_by_role("button", name="Retry 3 tasks").click()
    expect(page.get_by_role("status")).to_contain_text("3 tasks asked for again")
    for url in urls:
        again = newest(watched_site, url)
        watched_site.becomes(again, "SUCCEEDED")
        assert "olga" in audited(watched_site, again)


def test_a_held_plan_is_looked_at_and_approved(visit: Visits, watched_site: WatchedSite) -> None:
    url = watched_site.course("approval", files=40)
    watched_site.publish(url)
    watched_site.course("approval", files=10)
    task = watched_site.publish(url)
    assert watched_site.state(task) == "HELD"
    operator = visit("operator", name="otto").open(f"/task/{task}")
    expect(operator.get_by_text("An approver lets it go on.")).to_be_visible()
    expect(operator.get_by_role("button", name="Approve this plan")).to_have_count(0)

    page = visit("approver", name="anna").open(f"/task/{task}")
    expect(page.locator("#plan")).to_contain_text("30 files removed")
    page.get_by_label("Why it may go on").fill("half a course from now on")
    page.get_by_role("button", name="Approve this plan").click()
    expect(page.locator("#task .state").first).to_have_text("SUCCEEDED")
    assert len(list((watched_site.folder / "staging" / url[1:]).glob("*.htm"))) == 10
    page.goto(page.url.partition("/task")[0] + f"/audit?url={url}")
    expect(page.locator("table")).to_contain_text("half a course from now on")
    expect(page.locator("table")).to_contain_text("anna")


def test_what_just_went_out_is_taken_back(visit: Visits, watched_site: WatchedSite) -> None:
    url = watched_site.course("undo")
    watched_site.publish(url)
    index = watched_site.folder / "staging" / url[1:] / "index.htm"
    good = index.read_bytes()
    watched_site.course("undo")
    watched_site.publish(url)
    assert index.read_bytes() != good
    page = visit("operator").open(f"/module{url}")
    page.get_by_role("link", name="Back to this").click()
    page.get_by_role("button", name="Roll back STAGING").click()
    expect(page.locator("#task .state").first).to_have_text("SUCCEEDED")
    assert index.read_bytes() == good


def test_an_environment_is_paused_and_goes_on(visit: Visits, watched_site: WatchedSite) -> None:
    page = visit("operator").open("/")
    vault = page.locator("section", has=page.get_by_role("heading", name="VAULT"))
    vault.get_by_label("Why, for the record").fill("disk is changed")
    vault.get_by_role("button", name="Pause").click()
    expect(page.locator("#needs")).to_contain_text("VAULT is paused")
    vault.get_by_role("button", name="Resume").click()
    expect(vault.get_by_role("button", name="Pause")).to_be_visible()
    expect(page.locator("#needs")).not_to_contain_text("VAULT is paused")


PAGES = ("/", "/queue", "/task/10", "/module/courses/physics", "/schedules", "/targets", "/audit")


def test_a_viewer_sees_no_button_that_changes_anything(visit: Visits) -> None:
    window = visit("viewer")
    for path in PAGES:
        page = window.open(path)
        posts = page.locator("form[method=post]:not([action$='/theme']) button")
        assert posts.count() == 0, f"{path}: {posts.first.evaluate('form => form.outerHTML')}"


def test_a_viewer_who_sends_the_form_anyway_is_refused(visit: Visits, watched_site: WatchedSite) -> None:
    approver, viewer = visit("approver"), visit("viewer", name="vic")
    approver.open("/task/11")
    viewer.open("/task/11")
    form = approver.page.locator("form[action$='/cancel']").evaluate("form => form.outerHTML")
    viewer.page.evaluate("html => document.querySelector('main').insertAdjacentHTML('beforeend', html)", form)
    viewer.page.get_by_role("button", name="Cancel").click()
    expect(viewer.page.get_by_role("alert")).to_contain_text("vic is a viewer; this takes an operator.")
    assert watched_site.state(11) == "READY"


def test_a_form_without_its_token_changes_nothing(visit: Visits, watched_site: WatchedSite) -> None:
    page = visit("approver").open("/task/11")
    page.evaluate("document.querySelectorAll('[name=csrf]').forEach((field) => { field.value = 'of another page'; })")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("alert")).to_contain_text("The form is not of this session")
    assert watched_site.state(11) == "READY"


def test_a_page_of_another_site_can_neither_change_anything_nor_frame_the_console(
    visit: Visits, watched_site: WatchedSite
) -> None:
    """The same console under another name is another site to the browser, which brings the header of the proxy along."""
    window = visit("approver")
    form = window.open("/task/11").locator("form[action$='/cancel']").evaluate("form => form.outerHTML")
    elsewhere = window.root.replace("127.0.0.1", "localhost")
    hostile = form.replace('action="', f'action="{window.root}')
    page = window.page
    page.route(
        f"{elsewhere}/hostile",
        lambda route: route.fulfill(body=f"{hostile}<iframe src='{window.root}/'></iframe>", content_type="text/html"),
    )
    page.goto(f"{elsewhere}/hostile")
    expect(page.frame_locator("iframe").locator("#overview")).to_have_count(0)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("alert")).to_contain_text("This came from a page of another site. Nothing was changed.")
    assert watched_site.state(11) == "READY"
    window.faults.clear()

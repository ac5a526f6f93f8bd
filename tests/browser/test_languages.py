"""One language for the workbench and the pages of text: switched on either, remembered by both."""

from playwright.sync_api import expect

from tests.browser.workbench import Workbench, watched


def speaks(page, language):
    expect(page.locator("html")).to_have_attribute("lang", language)


def test_the_switch_is_remembered_from_page_to_workbench_and_back(page):
    page.goto("/ops")
    speaks(page, "en")
    page.get_by_role("link", name="中文").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("运算")
    assert page.url.endswith("/ops")  # the address carries no language that a later choice would have to fight
    page.get_by_role("searchbox").fill("no such")
    expect(page.get_by_role("status")).to_have_text("没有名称中包含它的运算。")
    page.get_by_role("searchbox").fill("matmul")
    expect(page.get_by_role("status")).to_contain_text(" / ")
    page.get_by_role("link", name="Backstep").click()
    switch = page.locator("header.top button", has_text="EN")
    expect(page.locator("button.run")).to_contain_text("运行")
    switch.click()
    expect(page.locator("button.run")).to_contain_text("Run")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Operations")
    page.goto("/lessons")
    speaks(page, "en")
    page.goto("/")
    speaks(page, "en")


def test_a_browser_s_own_language_needs_no_choice(browser, server):
    with watched(browser, server, locale="zh-CN") as page:
        page.goto("/broadcast?shape=2,3&shape=3")
        expect(page.get_by_role("heading", level=1)).to_have_text("广播")
        Workbench(page)
        expect(page.locator("button.run")).to_contain_text("运行")

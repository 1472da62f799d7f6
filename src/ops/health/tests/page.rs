//! The page: whole, of one file, and safe.

use super::*;

fn page_of(traces: &[Trace], hours: i64) -> String {
    let (_world, ctx) = world(traces);
    let spec = HealthSpec { hours, ..HealthSpec::default() };
    let view = health(&ctx, &spec).unwrap();
    let recent = recent(&ctx, &spec.scope, &spec.only, 5, &Cancel::default()).unwrap();
    super::super::page::page(&view, &recent).unwrap()
}

/// Every picture, as XML.
fn pictures(page: &str) -> Vec<roxmltree::Document<'_>> {
    let mut found = Vec::new();
    for (at, _) in page.match_indices("<svg ") {
        let end = page[at..].find("</svg>").unwrap() + "</svg>".len();
        found.push(roxmltree::Document::parse(&page[at..at + end]).unwrap());
    }
    found
}

#[test]
fn the_page_shows_figures_charts_and_what_is_new() {
    let page = page_of(&traffic(6_000, true), 168);
    for said in ["all traffic", "against the 7 days before", "Time of a request", "How long requests take"] {
        assert!(page.contains(said), "{said}");
    }
    for said in ["Failed requests", "Cost a day", "support@v4", "rate limit", "By version", "worse"] {
        assert!(page.contains(said), "{said}");
    }
    let pictures = pictures(&page);
    // Seven trends and four charts.
    assert_eq!(pictures.len(), 11);
    let count =
        |n: usize, name: &str| pictures[n].descendants().filter(|node| node.has_tag_name(name)).count();
    assert!(
        count(7, "polyline") >= 3 && count(8, "rect") >= 8 && count(9, "rect") > 20 && count(10, "rect") > 10
    );
    // All that is drawn lies within its picture.
    for node in pictures[8..].iter().flat_map(|of| of.descendants()).filter(|node| node.has_tag_name("rect"))
    {
        let number = |name| node.attribute(name).unwrap().parse::<f64>().unwrap();
        let (right, bottom) = (number("x") + number("width"), number("y") + number("height"));
        assert!(number("x") >= 0.0 && right <= 560.0 && number("y") >= 0.0 && bottom <= 210.0, "{node:?}");
    }
}

#[test]
fn the_page_needs_nothing_from_elsewhere_and_nothing_in_it_is_alive() {
    let evil = "<script>alert(1)</script>\"'><img src=http://evil.example/x>\u{1b}[2J\u{202e}";
    let traces = of_json(vec![json!({
        "id": "1", "input": evil, "output": evil, "time": instant(now() - 60_000), "feature": evil, "model": evil,
        "prompt": evil, "prompt_version": evil, "latency_ms": 10, "cost_usd": 0.1,
        "feedback": [{"kind": "report"}],
    })]);
    let (_world, ctx) = world(&traces);
    let spec = HealthSpec { scope: Scope::Feature(evil.into()), ..HealthSpec::default() };
    let view = health(&ctx, &spec).unwrap();
    let recent = recent(&ctx, &spec.scope, &spec.only, 5, &Cancel::default()).unwrap();
    let page = super::super::page::page(&view, &recent).unwrap();
    for alive in ["<script", "<img", "\u{1b}", "\u{202e}", "url(", "@import", "<link", "src=\"", "href="] {
        assert!(!page.contains(alive), "{alive}");
    }
    assert!(page.contains("&lt;script&gt;"));
    assert!(page.contains("default-src 'none'"));
    pictures(&page);
    pictures(&page_of(&[], 24));
}

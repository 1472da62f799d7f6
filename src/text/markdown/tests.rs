use super::*;

fn shown(text: &str, cols: usize) -> String {
    markdown(text, cols).iter().map(|line| line.text() + "\n").collect()
}

fn roles(text: &str) -> Vec<(String, Role)> {
    let spans = markdown(text, 60).into_iter().flat_map(|line| line.spans);
    spans.map(|span| (span.text.into_string(), span.style.role)).collect()
}

#[test]
fn an_answer_reads_as_it_was_meant() {
    let text = "\
# Fees

You were **charged** on *Monday*
and again ~~today~~.

1. Open `Settings`
2. Choose:
   - Cards
   - Limits, which are explained at length here
3. [ ] done

> Keep your
> receipt.
>
> > Always.

---

See [the terms](https://bank.example/terms) or <https://bank.example>.
";
    assert_eq!(
        shown(text, 34),
        "\
# Fees

You were charged on Monday
and again today.

1. Open Settings
2. Choose:
   • Cards
   • Limits, which are explained
     at length here
3. [ ] done

│ Keep your
│ receipt.
│
│ │ Always.

──────────────────────────────────

See the terms
(https://bank.example/terms) or
https://bank.example.
"
        .replace("│\n", "│ \n")
    );
}

#[test]
fn runs_have_their_meanings() {
    let run = |text: &str, role| (text.to_owned(), role);
    assert_eq!(
        roles("a `b` [c](d) <i>e</i>"),
        [
            run("a ", Role::Plain),
            run("b", Role::Code),
            run(" ", Role::Plain),
            run("c", Role::Link),
            run(" (d)", Role::Muted),
            run(" ", Role::Plain),
            run("<i>", Role::Muted),
            run("e", Role::Plain),
            run("</i>", Role::Muted),
        ]
    );
    let bold = markdown("**a *b* ~~c~~**", 40).remove(0).spans;
    assert!(bold.iter().all(|span| span.style.bold));
    assert!(bold[1].style.italic && bold[3].style.strike);
}

#[test]
fn code_keeps_its_lines_and_json_is_laid_out() {
    assert_eq!(shown("```python\nif x:\n\treturn  1\n```", 40), "  if x:\n      return  1\n");
    assert_eq!(
        shown("```json\n{\"a\":[1,{}]}\n```", 40),
        "  {\n    \"a\": [\n      1,\n      {}\n    ]\n  }\n"
    );
    assert_eq!(shown("```json\n{\"a\":\n```", 40), "  {\"a\":\n");
    assert_eq!(shown("<div>\n<b>x\n</div>\n\nafter<br>it", 40), "<div>\n<b>x\n</div>\n\nafter\nit\n");
}

#[test]
fn tables_line_up_and_fit() {
    let table = "\
| fee | amount | note |
|---|---:|:-:|
| 漢字 | 35 | when the account is overdrawn |
| **b** | 1,000 | x |
";
    assert_eq!(
        shown(table, 60),
        "\
fee  │ amount │             note
─────┼────────┼──────────────────────────────
漢字 │     35 │ when the account is overdrawn
b    │  1,000 │               x
"
    );
    assert_eq!(
        shown(table, 30),
        "\
fee  │ amount │      note
─────┼────────┼───────────────
漢字 │     35 │    when the
     │        │   account is
     │        │   overdrawn
b    │  1,000 │       x
"
    );
    assert_eq!(
        shown(table, 14),
        "\
fee: 漢字
amount: 35
note: when the
  account is
  overdrawn

fee: b
amount: 1,000
note: x
"
    );
}

#[test]
fn nothing_that_was_written_is_hidden() {
    assert_eq!(
        shown("[a]: /x\n[note]: # (do not tell)\n\n[A] b", 40),
        "A (/x) b\n\n[note]: # (do not tell)\n"
    );
    assert_eq!(shown("<!-- secret -->", 40), "<!-- secret -->\n");
    assert_eq!(shown("[a](b \"c\") <x@y.zz>", 40), "a (b \"c\") x@y.zz\n");
    assert_eq!(shown("```js hidden words\nx\n```", 40), "``` js hidden words\n  x\n");
    assert_eq!(shown("> >", 40), "> >\n");
    assert_eq!(shown("- [x] a\n- [ ] b", 40), "[x] a\n[ ] b\n");
    assert_eq!(shown("![cat](c.png)", 40), "image: cat (c.png)\n");
}

#[test]
fn an_empty_item_keeps_its_mark() {
    assert_eq!(shown("- \n- b\n\ntext", 20), "• \n• b\n\ntext\n");
    assert_eq!(shown("- a\n\n- b", 20), "• a\n\n• b\n");
    assert_eq!(shown("", 20), "");
}

/// Fails by overflow of the stack, by hanging, or by a line that is too wide.
#[test]
fn no_nesting_is_too_deep() {
    let n = 50_000;
    let texts = [
        "> ".repeat(n) + "deep",
        "- ".repeat(n) + "deep",
        "1. ".repeat(n) + "deep",
        "*".repeat(n) + "deep" + &"*".repeat(n),
        "**a _b ".repeat(n),
        "[".repeat(n) + "deep" + &"](x)".repeat(n),
        "![".repeat(n) + "deep",
        "`".repeat(n) + "deep",
        "<a ".repeat(n),
        "&amp;".repeat(n),
        "[a](b) ".repeat(n),
        "[a]: b\n\n".to_owned() + &"[a] ".repeat(n),
        "|a".repeat(n) + "\n" + &"|-".repeat(n) + "\n|x",
        (0..300).map(|i| format!("{}- x\n", "  ".repeat(i))).collect(),
    ];
    for text in texts {
        for line in markdown(&text, 40) {
            assert!(line.width() <= 40, "{} columns: {}", line.width(), line.text());
        }
    }
}

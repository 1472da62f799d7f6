use std::collections::HashSet;
use std::path::Path;

use proptest::prelude::*;
use whatlang::{Lang, Script};

use super::*;

/// The answer is whatlang's, and so is how sure it is, to the last bit.
fn same_as_whatlang(text: &str) {
    let theirs = whatlang::detect(text);
    let ours = guess(text);
    let confidence = theirs.as_ref().map(whatlang::Info::confidence);
    assert_eq!(ours.map(|(_, sure)| sure), confidence, "{text:?}: {ours:?}, {theirs:?}");
    // Of languages that are equally likely any may be named.
    if confidence.is_some_and(|sure| sure > 0.0) {
        assert_eq!(ours.map(|(lang, _)| lang), theirs.map(|info| info.lang()), "{text:?}");
    }
}

/// A text, and its beginnings: short ones, and those that end inside of a word.
fn and_its_parts(text: &str) {
    same_as_whatlang(&text[..text.floor_char_boundary(ENOUGH)]);
    for end in [1, 2, 3, 5, 9, 17, 40, 70, 120, 200] {
        same_as_whatlang(&text[..text.floor_char_boundary(end)]);
    }
}

const SENTENCES: &[(&str, &str)] = &[
    ("en", "I was charged twice for the same transfer, and nobody could tell me when the money comes back."),
    (
        "de",
        "Mir wurde die Überweisung zweimal berechnet, und niemand konnte mir sagen, wann das Geld zurückkommt.",
    ),
    (
        "fr",
        "On m’a facturé deux fois le même virement, et personne n’a pu me dire quand l’argent sera remboursé.",
    ),
    (
        "es",
        "Me cobraron dos veces la misma transferencia y nadie supo decirme cuándo me devolverán el dinero.",
    ),
    (
        "it",
        "Mi hanno addebitato due volte lo stesso bonifico e nessuno ha saputo dirmi quando riavrò i soldi.",
    ),
    (
        "pt",
        "Cobraram-me duas vezes a mesma transferência e ninguém soube dizer quando o dinheiro será devolvido.",
    ),
    (
        "nl",
        "Dezelfde overschrijving is twee keer afgeschreven en niemand kon mij vertellen wanneer het geld terugkomt.",
    ),
    (
        "sv",
        "Jag debiterades två gånger för samma överföring och ingen kunde säga när pengarna kommer tillbaka.",
    ),
    (
        "da",
        "Jeg blev opkrævet to gange for den samme overførsel, og ingen kunne fortælle mig, hvornår pengene kommer.",
    ),
    (
        "fi",
        "Minulta veloitettiin sama tilisiirto kahdesti, eikä kukaan osannut kertoa, milloin rahat palautetaan.",
    ),
    (
        "et",
        "Minult võeti sama ülekande eest kaks korda raha ja keegi ei osanud öelda, millal see tagasi makstakse.",
    ),
    (
        "pl",
        "Dwa razy pobrano mi opłatę za ten sam przelew i nikt nie potrafił powiedzieć, kiedy wrócą pieniądze.",
    ),
    (
        "cs",
        "Stejný převod mi byl naúčtován dvakrát a nikdo mi nedokázal říct, kdy se peníze vrátí na můj účet.",
    ),
    (
        "hu",
        "Kétszer vonták le ugyanazt az átutalást, és senki sem tudta megmondani, mikor kapom vissza a pénzt.",
    ),
    ("ro", "Mi s-a luat de două ori același transfer și nimeni nu a putut să-mi spună când se întorc banii."),
    (
        "hr",
        "Isti prijenos naplaćen mi je dva puta i nitko mi nije mogao reći kada će novac biti vraćen na račun.",
    ),
    ("tr", "Aynı havale için iki kez ücret alındı ve paranın ne zaman geri ödeneceğini kimse söyleyemedi."),
    ("vi", "Tôi bị tính phí hai lần cho cùng một giao dịch và không ai cho biết khi nào tiền được hoàn lại."),
    (
        "id",
        "Saya dikenakan biaya dua kali untuk transfer yang sama dan tidak ada yang tahu kapan uangnya kembali.",
    ),
    (
        "lt",
        "Už tą patį pavedimą man du kartus nuskaičiavo mokestį ir niekas negalėjo pasakyti, kada grįš pinigai.",
    ),
    (
        "lv",
        "Par vienu un to pašu pārskaitījumu man divreiz noņēma naudu, un neviens nezināja, kad to atgriezīs.",
    ),
    (
        "ru",
        "С меня дважды списали деньги за один и тот же перевод, и никто не смог сказать, когда их вернут.",
    ),
    (
        "uk",
        "З мене двічі стягнули гроші за один і той самий переказ, і ніхто не міг сказати, коли їх повернуть.",
    ),
    ("el", "Με χρέωσαν δύο φορές για την ίδια μεταφορά και κανείς δεν ήξερε πότε θα επιστραφούν τα χρήματα."),
    ("ar", "تم خصم المبلغ مرتين لنفس التحويل ولم يستطع أحد أن يخبرني متى ستعود النقود إلى حسابي."),
    ("he", "חויבתי פעמיים על אותה העברה ואף אחד לא ידע לומר לי מתי הכסף יוחזר לחשבון שלי."),
    ("hi", "एक ही लेनदेन के लिए मुझसे दो बार पैसे लिए गए और कोई नहीं बता सका कि पैसे कब वापस आएंगे।"),
    ("zh", "同一笔转账被扣了两次款，没有人能告诉我钱什么时候退回。"),
    ("ja", "同じ振込で二回請求されましたが、いつ返金されるのか誰も教えてくれませんでした。"),
    ("ko", "같은 이체에 대해 두 번 청구되었고 언제 환불되는지 아무도 말해 주지 못했습니다."),
    ("th", "ฉันถูกเรียกเก็บเงินสองครั้งสำหรับการโอนเดียวกันและไม่มีใครบอกได้ว่าเงินจะคืนเมื่อไร"),
];

#[test]
fn a_sentence_is_told() {
    let mut unsure = Vec::new();
    for (code, text) in SENTENCES {
        match detect_language(text) {
            Some(told) => assert_eq!(told.code, *code, "{text}"),
            None => unsure.push(*code),
        }
    }
    // Their relatives (Afrikaans, Bokmål, Slovak, Serbian) are too near for a sentence.
    assert!(unsure.len() <= 4, "{unsure:?}");
    for too_little in ["", "42.00", "?!", "ok", "I am", "\u{7f}\u{7f}"] {
        assert_eq!(detect_language(too_little), None, "{too_little:?}");
    }
}

#[test]
fn it_answers_as_whatlang_does() {
    for (_, text) in SENTENCES {
        and_its_parts(text);
        and_its_parts(&text.to_uppercase());
    }
    // Two languages in one text, in any shares.
    for (_, one) in SENTENCES {
        for (_, other) in SENTENCES {
            for share in [20, 50, 90] {
                let mixed = format!("{} — {other}", &one[..one.floor_char_boundary(share)]);
                same_as_whatlang(&mixed[..mixed.floor_char_boundary(ENOUGH)]);
            }
        }
    }
    for odd in
        ["\u{7f}a\u{7f}", "İİİ ISTANBUL", "ΣΑΣ as ΣΑΣ", "ﬁrst ﬂoor", "a", "é", "\u{300}", "😀 hello 😀"]
    {
        same_as_whatlang(odd);
        same_as_whatlang(&odd.repeat(12));
    }
    same_as_whatlang(&"İ".repeat(150));
    same_as_whatlang(&"ab".repeat(150));
}

/// Each trigram of each profile takes part in some text, and each letter of each alphabet: one wrong figure
/// in the table moves the confidence of that text.
#[test]
fn the_profiles_are_those_of_whatlang() {
    let table = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/languages/latin.tsv"));
    let mut langs = HashSet::new();
    for line in table.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let lang = Lang::from_code(fields[0]).unwrap();
        langs.insert(lang);
        let trigrams: Vec<char> = fields[2].chars().collect();
        assert_eq!(trigrams.len(), 900, "{lang}");
        for some in trigrams.chunks(3 * 12) {
            let text: Vec<String> = some.chunks(3).map(|trigram| trigram.iter().collect()).collect();
            same_as_whatlang(&text.join(" "));
            same_as_whatlang(&text.concat());
        }
        and_its_parts(fields[1]);
    }
    assert_eq!(langs, Script::Latin.langs().iter().copied().collect());
}

/// The texts that lie in this repository: prompts, dialogues in several languages, hostile ones, source.
#[test]
fn it_answers_as_whatlang_does_on_all_texts_at_hand() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")];
    let mut read = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            // One line in many of the large ones: they are all alike.
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            let lines = text.lines().count();
            for line in text.lines().step_by(lines / 150 + 1) {
                same_as_whatlang(&line[..line.floor_char_boundary(ENOUGH)]);
                read += 1;
            }
        }
    }
    assert!(read > 1000, "{read} lines");
}

#[test]
fn every_language_has_a_code_of_its_own() {
    let codes: HashSet<&str> = languages().map(|one| one.code).collect();
    assert_eq!(codes.len(), Lang::all().len());
    assert!(codes.iter().all(|code| code.len() == 2));
}

#[test]
fn a_trace_states_its_language_or_is_told_by_what_was_said() {
    use serde_json::json;
    let of = |trace: serde_json::Value| {
        let trace: Trace = serde_json::from_value(trace).unwrap();
        trace_language(&trace).map(|of| (of.name, of.guessed))
    };
    let german = "Wann kommt meine Überweisung an? Ich habe sie schon am Montag abgeschickt.";
    let answer =
        "Überweisungen brauchen einen Bankarbeitstag. Ihre kommt also spätestens morgen auf dem Konto an.";
    // The source's own word wins, whatever the text is.
    let stated = json!({"input": german, "output": "", "metadata": {"locale": "fr-FR"}});
    assert_eq!(of(stated), Some(("fr".to_owned(), false)));
    assert_eq!(of(json!({"input": german, "output": ""})), Some(("de".to_owned(), true)));
    // What the user asked, not what the instruction says, and the last of it.
    let talk = json!([
        {"role": "system", "content": "You are the assistant of a bank. Answer briefly, and never promise anything."},
        {"role": "user", "content": "I would like to talk to somebody about my account, please."},
        {"role": "assistant", "content": "Of course. What is it about?"},
        {"role": "user", "content": german},
    ]);
    assert_eq!(of(json!({"input": talk, "output": "Morgen."})), Some(("de".to_owned(), true)));
    // Too short to tell by itself, but likeliest what the answer surely is.
    let short = "Meine Karte ist weg";
    assert_eq!(detect_language(short), None);
    let said = |output: &str| json!({"input": short, "output": [{"role": "assistant", "content": output}]});
    assert_eq!(of(said(answer)), Some(("de".to_owned(), true)));
    assert_eq!(of(said("You can order a new card in the app, under Cards and then Replace.")), None);
    assert_eq!(of(said("Ok")), None);
    assert_eq!(of(json!({"input": "", "output": answer})), None);
    assert_eq!(of(json!({"input": [{"role": "system", "content": german}], "output": answer})), None);
}

proptest! {
    #[test]
    fn any_text_is_told_as_whatlang_tells_it(text in "[a-zA-Zäöéñ ,.]{0,290}|\\PC{0,90}|[ -\u{7f}]{0,300}") {
        same_as_whatlang(&text[..text.floor_char_boundary(ENOUGH)]);
    }
}

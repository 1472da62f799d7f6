//! Every row of the key table has an arm.

use ratatui::layout::Rect;

use crate::command::table::all;
use crate::command::{Id, Place};
use crate::domain::SetName;
use crate::ops::Ctx;
use crate::ops::testing::{World, an_alert};
use crate::tui::message::Message;
use crate::tui::overlays::{
    Choice, Confirm, Editor, Field, Form, Page, Palette, Picker, Promote, Prompt, Tag,
};
use crate::tui::screen::Handled;
use crate::tui::screens::ScreenId;
use crate::tui::screens::review::Of;
use crate::tui::testing::Story;
use crate::tui::theme::Theme;
use crate::tui::update::command;
use crate::tui::words::line;

const TAG: Tag = Tag("test");

/// Brings a program to a place, or says that nothing can be there yet.
fn at(place: Place, ctx: &Ctx) -> Option<Story> {
    let mut story = Story::new(ctx.clone(), ScreenId::Review);
    let title = || line(crate::text::Role::Title, "x");
    let overlay = match place {
        Place::Anywhere | Place::Samples => return Some(story),
        Place::Review => {
            let mut story = Story::unstarted(ctx.clone(), ScreenId::Review, Theme::default());
            story.model.screens.review.open_at_start(Of::Traces(vec!["t-0".into(), "t-1".into()]));
            story.send(Message::Started);
            return Some(story);
        }
        Place::Page => Page::new(title(), vec![]).into(),
        Place::Picker => Picker::new(TAG, title(), vec![Choice::new(title())]).into(),
        Place::Palette => Palette::new(all().collect()).into(),
        Place::Prompt => Prompt::new(TAG, "x", "").into(),
        Place::Form => Form::new(TAG, title(), vec![Field::new("x", "", "")]).into(),
        Place::Editor => Editor::new(TAG, title(), "", ".md").into(),
        Place::Confirm => Confirm::new(TAG, "x", "x").into(),
        Place::Promote => Promote::traces(&SetName::parse("x").unwrap(), &[], Vec::new()).into(),
        Place::StartRun => {
            crate::tui::screens::runs::tests::support_set(ctx, 3);
            let mut story = Story::new(ctx.clone(), ScreenId::Runs);
            story.press("n");
            return Some(story);
        }
        Place::Incidents => return Some(Story::new(ctx.clone(), ScreenId::Incidents)),
        Place::Incident | Place::Postmortem => {
            let mut story = Story::new(ctx.clone(), ScreenId::Incidents);
            story.press("I");
            // Without an incident that is open it asks for a title.
            if !story.model.overlays.is_empty() {
                story.type_text("x").press("enter");
            }
            if place == Place::Postmortem {
                story.press("p");
            }
            return Some(story);
        }
        Place::Monitors | Place::Alert => {
            an_alert(ctx);
            let mut story = Story::new(ctx.clone(), ScreenId::Monitors);
            if place == Place::Alert {
                story.press("enter");
            }
            return Some(story);
        }
        Place::Health => return Some(Story::new(ctx.clone(), ScreenId::Health)),
        Place::Traces => return Some(Story::new(ctx.clone(), ScreenId::Traces)),
        Place::Trace => {
            let mut story = Story::new(ctx.clone(), ScreenId::Traces);
            story.model.screens.traces.come_to("t-0".into(), ScreenId::Traces);
            return Some(story);
        }
        Place::Runs => return Some(Story::new(ctx.clone(), ScreenId::Runs)),
        Place::Run | Place::Comparison => {
            crate::tui::screens::runs::tests::two_runs(ctx);
            let mut story = Story::new(ctx.clone(), ScreenId::Runs);
            story.press(if place == Place::Run { "enter" } else { "j b k enter" });
            return Some(story);
        }
        Place::Gates | Place::Gate | Place::GateEdges => {
            return crate::tui::screens::gate::tests::at(place, ctx);
        }
        Place::Prompts => return Some(Story::new(ctx.clone(), ScreenId::Prompts)),
        Place::Features => return Some(Story::new(ctx.clone(), ScreenId::Features)),
        Place::Evals => return Some(Story::new(ctx.clone(), ScreenId::Evals)),
    };
    story.model.overlays.push(overlay);
    Some(story)
}

#[test]
fn every_command_has_an_arm() {
    let world = World::with(3);
    let ctx = world.as_reviewer("ann");
    let mut without: Vec<(Place, Id)> = Vec::new();
    for row in all() {
        for place in row.places {
            let Some(mut story) = at(*place, &ctx) else {
                without.push((*place, row.id));
                continue;
            };
            if command(&mut story.model, row.id, &mut Vec::new()) == Handled::No {
                without.push((*place, row.id));
            }
            // Whatever it did can be drawn.
            crate::tui::view::view(&story.model, Rect::new(0, 0, 80, 24));
        }
    }
    assert!(without.is_empty(), "rows without an arm: {without:#?}");
}

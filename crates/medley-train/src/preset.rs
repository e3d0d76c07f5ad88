//! Reading a configuration: presets, files that build on one, and errors with line and suggestion.

use std::path::Path;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use crate::config::TrainConfig;
use crate::error::TrainError;

/// The presets by name: the files of `configs/` that come with the program.
pub const PRESETS: [(&str, &str); 4] = [
    ("smoke", include_str!("../../../configs/smoke.toml")),
    ("nano-cpu", include_str!("../../../configs/nano-cpu.toml")),
    ("nano-gpu", include_str!("../../../configs/nano-gpu.toml")),
    ("tiny-gpu", include_str!("../../../configs/tiny-gpu.toml")),
];

/// The key that names the preset on which a file builds.
const PRESET: &str = "preset";

impl TrainConfig {
    /// The preset of that name, or what the file of that name says.
    ///
    /// # Errors
    /// Neither a preset nor a file, and those of [`Self::read`].
    pub fn named(name: &Path) -> Result<Self, TrainError> {
        let text = name.to_str().unwrap_or_default();
        if let Some(preset) = preset(text) {
            return parse(text, preset);
        }
        if !name.exists() {
            return Err(TrainError::Config {
                place: name.display().to_string(),
                reason: unknown(text),
            });
        }
        Self::read(name)
    }

    /// Reads and checks a TOML file. Where it names a `preset`, its keys go before the preset's, table by
    /// table; a list, as `[[tasks]]`, replaces the preset's.
    ///
    /// # Errors
    /// A file that cannot be read, a key that is unknown or missing, a value out of range.
    pub fn read(path: &Path) -> Result<Self, TrainError> {
        let text = std::fs::read_to_string(path).map_err(|error| TrainError::file(path, error))?;
        parse(&path.display().to_string(), &text)
    }
}

fn preset(name: &str) -> Option<&'static str> {
    PRESETS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

fn unknown(name: &str) -> String {
    let names = PRESETS.map(|(name, _)| name);
    let suggestion = suggestion(name, &names);
    format!("neither a preset ({}) nor a file{suggestion}", names.join(", "))
}

fn parse(place: &str, text: &str) -> Result<TrainConfig, TrainError> {
    let config = document(text).and_then(|document| {
        TrainConfig::deserialize(Deserializer::from(document)).map_err(Fault::from)
    });
    let config = config.map_err(|Fault { at, reason }| {
        let line = at.map(|at| 1 + text.bytes().take(at).filter(|&byte| byte == b'\n').count());
        let place = line.map_or(place.into(), |line| format!("{place}, line {line}"));
        TrainError::Config { place, reason }
    })?;
    let whole = config.without_left_out().and_then(|config| config.check().map(|()| config));
    whole.map_err(|reason| TrainError::Config { place: place.into(), reason })
}

/// What is wrong with a text.
struct Fault {
    /// Where, in bytes.
    at: Option<usize>,
    reason: String,
}

impl From<toml::de::Error> for Fault {
    fn from(error: toml::de::Error) -> Self {
        let message = error.message();
        let mut reason = message.to_owned();
        // serde lists the keys, or values, that it knows: "unknown field `a`, expected one of `b`, `c`".
        let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
        let mut at = error.span().map(|span| span.start);
        if let (true, [found, known @ ..]) = (message.starts_with("unknown "), &quoted[..]) {
            reason += &suggestion(found, known);
        } else if message.starts_with("missing field") {
            reason +=
                "; write it, or build on a preset with preset = \"nano-cpu\" as the first line";
            // A key that is not there has no line, unless in a table that has one.
            at = at.filter(|&at| at > 0);
        }
        Self { at, reason }
    }
}

/// The text's keys over those of its preset. Their places are the text's own: a preset has no faults.
fn document(text: &str) -> Result<Spanned<DeTable<'_>>, Fault> {
    let mut document = DeTable::parse(text)?;
    let Some(name) = document.get_mut().remove(PRESET) else { return Ok(document) };
    let at = Some(name.span().start);
    let DeValue::String(name) = name.into_inner() else {
        return Err(Fault {
            at,
            reason: "preset is no text; expected the name of a preset".into(),
        });
    };
    let base = preset(&name).ok_or_else(|| {
        let names = PRESETS.map(|(name, _)| name);
        let suggestion = suggestion(&name, &names);
        let names = names.join(", ");
        Fault {
            at,
            reason: format!("unknown preset `{name}`, expected one of {names}{suggestion}"),
        }
    })?;
    let base = self::document(base)?.into_inner();
    let span = document.span();
    Ok(Spanned::new(span, merged(base, document.into_inner())))
}

fn merged<'a>(mut base: DeTable<'a>, own: DeTable<'a>) -> DeTable<'a> {
    for (key, value) in own {
        let span = value.span();
        let value = match (base.remove(&key).map(Spanned::into_inner), value.into_inner()) {
            (Some(DeValue::Table(base)), DeValue::Table(own)) => DeValue::Table(merged(base, own)),
            (_, own) => own,
        };
        base.insert(key, Spanned::new(span, value));
    }
    base
}

/// "; did you mean `b`?", where one of `known` is near enough to be what `found` was meant to be.
fn suggestion(found: &str, known: &[&str]) -> String {
    let distance = |name: &str| strsim::damerau_levenshtein(found, name);
    let nearest = known.iter().min_by_key(|name| distance(name));
    // Up to a third of the letters wrong: "stepz" is steps, "colour" is nothing.
    let near = nearest.filter(|name| distance(name) <= found.chars().count().div_ceil(3));
    near.map_or(String::new(), |name| format!("; did you mean `{name}`?"))
}

#[cfg(test)]
mod tests {
    use medley_model::NanoConfig;
    use medley_package::Presentation;

    use super::*;
    use medley_data::ExtraAugmentation;

    use crate::config::{
        DistillationConfig, OptimizerConfig, SelfSupervisionConfig, TaskConfig, WarmStartConfig,
    };

    fn refused(text: &str) -> String {
        parse("run.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn every_preset_is_whole_and_named_after_itself() {
        for (name, _) in PRESETS {
            let config = TrainConfig::named(Path::new(name)).unwrap();
            assert_eq!(config.name, name);
            let kinds = if name == "smoke" { 3 } else { 16 };
            assert_eq!(config.tasks.len(), kinds, "{name}");
        }
    }

    #[test]
    fn the_shipped_models_first_recipe_is_nano_cpu_under_another_name_and_the_later_ones_have_the_same_tasks()
     {
        let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
        let read = |name: &str| TrainConfig::named(&configs.join(format!("{name}.toml"))).unwrap();
        let first = read("medley-nano-160");
        let mut preset = TrainConfig::named(Path::new("nano-cpu")).unwrap();
        preset.name.clone_from(&first.name);
        preset.steps = first.steps;
        preset.optimizer.restarts.clone_from(&first.optimizer.restarts);
        assert_eq!(first, preset);

        let names = |config: &TrainConfig| -> Vec<String> {
            config.tasks.iter().map(|task| task.name.clone()).collect()
        };
        let mut before = first;
        for name in ["medley-nano-224", "medley-nano"] {
            let next = read(name);
            assert_eq!((next.name.as_str(), next.size()), (name, 224));
            assert_eq!(names(&next), names(&before));
            let package = next.warm_start.as_ref().map(|start| start.package.clone());
            assert_eq!(package, Some(Path::new("runs").join(&before.name).join("package")));
            before = next;
        }
        let left_out = read("left-out-224");
        assert_eq!(names(&left_out), names(&read("left-out")));
        for task in &left_out.tasks {
            let shipped = before.tasks.iter().find(|shipped| shipped.name == task.name);
            assert_eq!(shipped.map(|task| task.presentation), Some(task.presentation));
        }
    }

    #[test]
    fn a_file_overrides_single_keys_of_its_preset_and_whole_lists() {
        let preset = TrainConfig::named(Path::new("nano-cpu")).unwrap();
        let config = parse("", "preset = \"nano-cpu\"\nseed = 9\n[optimizer]\nwarmup = 3").unwrap();
        assert_eq!((config.seed, config.optimizer.warmup), (9, 3));
        assert_eq!(config.optimizer.learning_rate, preset.optimizer.learning_rate);
        assert_eq!(config.tasks, preset.tasks);

        let task = "[[tasks]]\nname = \"lungs\"\nper_batch = 1\npresentation = { way = \"whole\", size = 64 }";
        let config = parse("", &format!("preset = \"nano-cpu\"\n{task}")).unwrap();
        assert_eq!(config.tasks.len(), 1);
    }

    #[test]
    fn tasks_are_left_out_by_name_and_an_unknown_name_is_told_the_known_ones() {
        let preset = TrainConfig::named(Path::new("smoke")).unwrap();
        let left: Vec<&str> = preset.tasks[1..].iter().map(|task| task.name.as_str()).collect();
        let first = &preset.tasks[0].name;
        let config = parse("", &format!("preset = \"smoke\"\nleave_out = [\"{first}\"]")).unwrap();
        let names: Vec<&str> = config.tasks.iter().map(|task| task.name.as_str()).collect();
        assert_eq!((names, config.leave_out.len()), (left, 0));

        let error = refused("preset = \"smoke\"\nleave_out = [\"lunks\"]");
        assert!(error.contains("“lunks”") && error.contains(first), "{error}");
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line_and_the_nearest_known_one() {
        let text = "preset = \"nano-cpu\"\n\n[optimizer]\nlerning_rate = 1e-3\n";
        let error = refused(text);
        assert!(error.contains("run.toml, line 4: unknown field `lerning_rate`"), "{error}");
        assert!(error.ends_with("; did you mean `learning_rate`?"), "{error}");

        let error = refused("preset = \"smoke\"\nway = \"mixt\"\n");
        assert!(error.contains("line 2: unknown variant `mixt`"), "{error}");
        assert!(error.ends_with("; did you mean `mixed`?"), "{error}");

        let error = refused("preset = \"smoke\"\ncolour = 1\n");
        assert!(error.contains("line 2: unknown field `colour`"), "{error}");
        assert!(!error.contains("did you mean"), "{error}");

        let task = "[[tasks]]\nname = \"lungs\"\nper_bach = 1\n";
        let error = refused(&format!("preset = \"smoke\"\n{task}"));
        assert!(error.contains("line 4") && error.contains("did you mean `per_batch`"), "{error}");

        let error = refused("preset = \"nano-gpi\"\n");
        assert!(error.contains("line 1: unknown preset `nano-gpi`"), "{error}");
        assert!(error.ends_with("; did you mean `nano-gpu`?"), "{error}");
    }

    #[test]
    fn what_is_neither_preset_nor_file_is_told_the_presets() {
        let error = TrainConfig::named(Path::new("nano-cpv")).unwrap_err().to_string();
        assert!(error.contains("smoke, nano-cpu, nano-gpu, tiny-gpu"), "{error}");
        assert!(error.ends_with("; did you mean `nano-cpu`?"), "{error}");
    }

    #[test]
    fn a_file_without_a_preset_is_told_of_the_key_that_is_missing() {
        let error = refused("name = \"x\"\n");
        assert!(error.starts_with("configuration run.toml: missing field"), "{error}");
    }

    #[test]
    fn the_configuration_that_a_run_writes_down_reads_back_as_it_was() {
        for (name, _) in PRESETS {
            let mut config = TrainConfig::named(Path::new(name)).unwrap();
            config.nano = (name == "nano-cpu").then(NanoConfig::nano);
            config.augmentation = 0.3;
            config.augment.blur = 0.5;
            config.sizes = vec![128, 160];
            config.distillation = Some(DistillationConfig { package: "p".into(), weight: 2.0 });
            config.warm_start = Some(WarmStartConfig { package: "w".into() });
            config.self_supervision = (name == "smoke")
                .then_some(SelfSupervisionConfig { weight: 0.5, temperature: 0.1 });
            config.tasks[0].views = 2;
            assert_eq!(parse("", &toml::to_string(&config).unwrap()).unwrap(), config);
        }
    }

    /// The keys that a struct takes, from what serde says of one that none has.
    fn keys<T: serde::de::DeserializeOwned>() -> Vec<String> {
        let error = toml::from_str::<T>("zzz = 0").err().unwrap();
        error.message().split('`').skip(3).step_by(2).map(String::from).collect()
    }

    const TABLES: [&str; 8] = [
        "optimizer",
        "tasks",
        "nano",
        "augment",
        "self_supervision",
        "distillation",
        "warm_start",
        "tasks.presentation",
    ];

    #[test]
    fn every_key_has_a_row_in_the_documentation_and_every_row_a_key() {
        let below = |table: &str, keys: Vec<String>| -> Vec<String> {
            keys.iter().map(|key| format!("{table}.{key}")).collect()
        };
        // The presentation with the most keys.
        let tiles = Presentation::Tiles { size: 64, long_side: 128, overlap: 16 };
        let tiles = toml::Table::try_from(tiles).unwrap();
        let mut expected: Vec<String> = [PRESET.to_owned()]
            .into_iter()
            .chain(keys::<TrainConfig>())
            .chain(below("optimizer", keys::<OptimizerConfig>()))
            .chain(below("tasks", keys::<TaskConfig>()))
            .chain(below("nano", keys::<NanoConfig>()))
            .chain(below("augment", keys::<ExtraAugmentation>()))
            .chain(below("self_supervision", keys::<SelfSupervisionConfig>()))
            .chain(below("distillation", keys::<DistillationConfig>()))
            .chain(below("warm_start", keys::<WarmStartConfig>()))
            .chain(below("tasks.presentation", tiles.keys().cloned().collect()))
            // Tables are told of by their keys.
            .filter(|key| !TABLES.contains(&&key[..]))
            .collect();
        assert!(expected.len() > 25, "{expected:?}");
        let docs = include_str!("../../../docs/configuration.md");
        let table = docs.split("## Every key").nth(1).unwrap();
        let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
        let mut found: Vec<String> = rows.map(String::from).collect();
        expected.sort();
        found.sort();
        assert_eq!(found, expected);
    }
}

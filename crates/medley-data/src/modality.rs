//! Which changes an image may undergo and still be an image of its kind: one table, a reason beside each row.

use medley_package::TaskKind;

/// What the pictures of a data set show, as far as augmentation cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Anatomy {
    /// Cells under a microscope.
    Cells,
    /// Stained tissue sections.
    Tissue,
    /// The back of the eye.
    Fundus,
    /// Ultrasound of any organ.
    Ultrasound,
    /// Axial slices of the head, MRI or CT.
    Head,
    /// Radiographs and CT of the chest.
    Chest,
    /// Radiographs of arms and legs.
    Limb,
    /// Anything else.
    Other,
}

impl Anatomy {
    /// From the words of a `dataset.json`: the modality and the part of the body. Words that are not known
    /// give [`Anatomy::Other`], which is augmented with the least assumptions.
    pub fn of(modality: &str, body: &str) -> Self {
        let (modality, body) = (modality.to_lowercase(), body.to_lowercase());
        let is = |word: &str| modality.contains(word);
        let shows = |words: &[&str]| words.iter().any(|word| body.contains(word));
        if is("histology") {
            Self::Tissue
        } else if is("microscopy") {
            Self::Cells
        } else if is("fundus") {
            Self::Fundus
        } else if is("ultrasound") {
            Self::Ultrasound
        } else if (is("mri") || is("ct")) && shows(&["brain", "head"]) {
            Self::Head
        } else if (is("radiograph") || is("ct")) && shows(&["chest", "lung"]) {
            Self::Chest
        } else if is("radiograph")
            && shows(&["limb", "bone", "hand", "wrist", "knee", "leg", "arm"])
        {
            Self::Limb
        } else {
            Self::Other
        }
    }
}

/// How far each change may go. Every value is drawn anew for every image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Augmentation {
    /// Mirror left and right, in half of the images.
    pub flip_x: bool,
    /// Mirror top and bottom, in half of the images.
    pub flip_y: bool,
    /// Turn by 0, 90, 180 or 270 degrees.
    pub quarter_turns: bool,
    /// Greatest turn to either side on top of that, in degrees.
    pub degrees: f32,
    /// Enlargement, from and to, even on a logarithmic scale.
    pub scale: (f32, f32),
    /// Greatest shift to each side, as a share of the canvas.
    pub shift: f32,
    /// Greatest change of brightness, on values of 0..1.
    pub brightness: f32,
    /// Contrast about the middle grey, from and to, even on a logarithmic scale.
    pub contrast: (f32, f32),
    /// Exponent of the tone curve, from and to, even on a logarithmic scale.
    pub gamma: (f32, f32),
    /// Greatest relative change of each colour channel alone; half of it is also added. Colour images only.
    pub colour: f32,
    /// Greatest standard deviation of Gaussian noise, on values of 0..1; half of the images have none.
    pub noise: f32,
}

impl Augmentation {
    /// The row of the table for an anatomy, made fit for the kind of task.
    pub fn of(anatomy: Anatomy, kind: TaskKind) -> Self {
        // Exposure, gain and window level differ between devices everywhere; framing does too.
        let base = Self {
            flip_x: false,
            flip_y: false,
            quarter_turns: false,
            degrees: 10.0,
            scale: (0.8, 1.25),
            shift: 0.1,
            brightness: 0.15,
            contrast: (0.75, 1.3),
            gamma: (0.75, 1.35),
            colour: 0.0,
            noise: 0.03,
        };
        let mut row = match anatomy {
            // A smear or a section has no up and no left. Stains differ between laboratories.
            Anatomy::Cells | Anatomy::Tissue => {
                Self { flip_x: true, flip_y: true, quarter_turns: true, colour: 0.1, ..base }
            }
            // Mirrored, a left eye is a right eye; vessels run in every direction. Cameras differ in colour.
            Anatomy::Fundus => Self { flip_x: true, quarter_turns: true, colour: 0.1, ..base },
            // The probe may be held either way round, but depth goes down: shadows lie below what casts them.
            Anatomy::Ultrasound => Self { flip_x: true, ..base },
            // The head is nearly symmetric, and which way left points is a convention of the display.
            Anatomy::Head => Self { flip_x: true, ..base },
            // The heart is on the left.
            Anatomy::Chest => base,
            // There is a left and a right limb.
            Anatomy::Limb => Self { flip_x: true, ..base },
            // Nothing is known, so nothing is mirrored.
            Anatomy::Other => base,
        };
        if kind == TaskKind::Detection {
            // A box around a turned box grows: at 10 degrees a round cell of side 1 gets a box of side 1.16,
            // which overlaps the true one by 0.74 only; at 5 degrees by 0.85.
            row.degrees = row.degrees.min(5.0);
        }
        row
    }

    /// The same with every range narrowed to a share of it: 1 changes nothing, 0 leaves only the
    /// mirrorings and quarter turns, which do not depend on strength.
    pub fn scaled(self, strength: f32) -> Self {
        let narrow = |(from, to): (f32, f32)| (from.powf(strength), to.powf(strength));
        Self {
            degrees: self.degrees * strength,
            scale: narrow(self.scale),
            shift: self.shift * strength,
            brightness: self.brightness * strength,
            contrast: narrow(self.contrast),
            gamma: narrow(self.gamma),
            colour: self.colour * strength,
            noise: self.noise * strength,
            ..self
        }
    }

    /// The same with enlargements that go further by a factor, to either side.
    pub(crate) fn rescaled(self, factor: f32) -> Self {
        Self { scale: (self.scale.0 / factor, self.scale.1 * factor), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heart_stays_on_the_left_in_every_picture_of_the_chest() {
        for (modality, body) in [("radiograph", "chest"), ("CT", "chest"), ("MRI", "heart")] {
            let row = Augmentation::of(Anatomy::of(modality, body), TaskKind::Classification);
            assert!(!row.flip_x && !row.flip_y && !row.quarter_turns, "{modality} of the {body}");
        }
    }

    #[test]
    fn every_modality_of_the_database_has_its_row() {
        for (modality, body, anatomy) in [
            ("microscopy", "peripheral blood smear", Anatomy::Cells),
            ("histology (H&E)", "breast", Anatomy::Tissue),
            ("fundus photograph", "retina", Anatomy::Fundus),
            ("ultrasound", "fetal head", Anatomy::Ultrasound),
            ("MRI", "brain", Anatomy::Head),
            ("CT", "head", Anatomy::Head),
            ("radiograph", "limbs", Anatomy::Limb),
            ("thermography", "foot", Anatomy::Other),
        ] {
            assert_eq!(Anatomy::of(modality, body), anatomy, "{modality} of the {body}");
        }
    }

    #[test]
    fn narrowed_to_nothing_only_mirrorings_and_quarter_turns_are_left() {
        let row = Augmentation::of(Anatomy::Cells, TaskKind::Classification);
        assert_eq!(row.scaled(1.0), row);
        let none = row.scaled(0.0);
        assert!(none.flip_x && none.flip_y && none.quarter_turns);
        assert_eq!((none.scale, none.gamma, none.contrast), ((1.0, 1.0), (1.0, 1.0), (1.0, 1.0)));
        assert_eq!([none.degrees, none.shift, none.brightness, none.colour, none.noise], [0.0; 5]);
    }

    #[test]
    fn only_stained_and_photographed_pictures_change_their_colours() {
        for anatomy in [Anatomy::Ultrasound, Anatomy::Head, Anatomy::Chest, Anatomy::Limb] {
            assert_eq!(Augmentation::of(anatomy, TaskKind::Segmentation).colour, 0.0);
        }
        assert!(Augmentation::of(Anatomy::Tissue, TaskKind::Segmentation).colour > 0.0);
    }
}

//! The files of one example, as they are: for measuring, which goes the way of a user's image.

use medley_infer::Image;

use crate::cache::{read_image, read_mask};
use crate::error::DataError;
use crate::records::{Example, Target};

impl Example {
    /// Its picture, at its own size.
    ///
    /// # Errors
    ///
    /// [`DataError::Io`] and [`DataError::Record`] for a file that is missing or wrong.
    pub fn read_image(&self) -> Result<Image, DataError> {
        read_image(self)
    }

    /// Its mask at the picture's size, one class for each pixel or [`crate::IGNORE`]; none if it has none.
    ///
    /// # Errors
    ///
    /// [`DataError::Io`] and [`DataError::Record`] for a file that is missing or wrong.
    pub fn read_mask(&self, classes: usize) -> Result<Option<Vec<u8>>, DataError> {
        match &self.target {
            Target::Mask(path) => read_mask(self, path, classes).map(Some),
            _ => Ok(None),
        }
    }
}

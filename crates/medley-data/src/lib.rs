//! The task database of Medley: records, images, augmentation, batches.

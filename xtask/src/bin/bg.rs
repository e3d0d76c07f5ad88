#[path = "../bindgen.rs"]
mod bindgen;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    bindgen::write(std::path::Path::new(&a[1]), std::path::Path::new(&a[2])).unwrap();
}

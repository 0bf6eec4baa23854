//! Generates `src/gen` from the contract. `scripts/clients/rust.mjs` calls it in the root folder of
//! the repository.

use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let root = arguments.next().ok_or("usage: generator <root of the repository> <output folder>")?;
    let out = arguments.next().ok_or("the output folder is missing")?;
    let root = Path::new(&root);
    let includes = [root.join("proto"), root.join("server/proto")];
    std::fs::create_dir_all(&out)?;
    let service = protox::compile(["spread/sidecar/v1/mailbox_service.proto"], &includes)?;
    tonic_prost_build::configure()
        .build_server(false)
        .build_transport(false)
        .bytes(".spread.sidecar.v1")
        .btree_map(".")
        .out_dir(&out)
        .compile_fds(service)?;
    let details = protox::compile(["spread/sidecar/internal/v1/rich_status.proto"], &includes)?;
    tonic_prost_build::configure().btree_map(".").out_dir(&out).compile_fds(details)?;
    Ok(())
}

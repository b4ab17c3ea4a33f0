// Writes the .pyc files of the functions' package, whatever Python this machine has: Pyodide is
// CPython 3.13 itself, the functions' own, in WebAssembly, and bytecode is the same everywhere.
//
// node aws/bytecode.mjs FOLDER… : each from the project's root. What lies in build/ never changes
// once it is packed, so it is not compared with its source at each import: all files' dates are
// 1970 in a package, and only hashes tell. Our own is compared, for here it lies beside sources
// that people edit.

import { loadPyodide } from "pyodide";

const COMPILE = `
import compileall
from py_compile import PycInvalidationMode

def compiled(folder):
    mode = "UNCHECKED_HASH" if folder.startswith("build/") else "CHECKED_HASH"
    return bool(compileall.compile_dir(
        f"/project/{folder}", quiet=1, force=True, stripdir="/project", prependdir="/var/task",
        invalidation_mode=PycInvalidationMode[mode],
    ))

all([compiled(folder) for folder in folders])
`;

try {
  const python = await loadPyodide();
  python.FS.mkdirTree("/project");
  python.FS.mount(python.FS.filesystems.NODEFS, { root: "." }, "/project");
  python.globals.set("folders", python.toPy(process.argv.slice(2)));
  if (!python.runPython(COMPILE)) {
    process.exitCode = 1;
  }
} catch (error) {
  console.error(`The package's bytecode could not be written: ${error.message}`);
  process.exitCode = 1;
}

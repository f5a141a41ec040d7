# SPDX-License-Identifier: GPL-3.0-or-later
"""Says what is wrong with Python programs: syntax beyond Python 3.9, modules beyond the standard
library, names that a program uses and does not have, or has at its top and does not need.

Standard input: the size of a program in bytes, a line, and then the program; and so on. Standard
output: a line for each, empty if nothing was found.
"""

import ast
import builtins
import sys


def names_at_top(tree):
    """The names that stand at the top, and the modules."""
    names, modules = [], []
    for node in tree.body:
        if isinstance(node, ast.Import):
            modules += [name.asname or name.name for name in node.names]
        elif isinstance(node, ast.Assign):
            names += [target.id for target in node.targets]
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.append(node.name)
    return names, modules


def faults_in(text):
    tree = ast.parse(text, feature_version=(3, 9))
    compile(text, "program", "exec")
    at_top, modules = names_at_top(tree)
    bound = set(dir(builtins)) | {"__name__"} | set(at_top)
    bound |= {module.split(".")[0] for module in modules}
    used, attributes = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.ExceptHandler):
            bound.add(node.name)
        elif isinstance(node, ast.Attribute):
            attributes.add(ast.unparse(node))
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for name in node.names:
                module = getattr(node, "module", name.name).split(".")[0]
                if module not in sys.stdlib_module_names:
                    yield f"{module} is not in the standard library"
    for name in sorted(used - bound):
        yield f"{name} is nowhere"
    for name in sorted(set(at_top + modules) - used - attributes):
        yield f"{name} is not needed"
    for name in sorted({name for name in at_top if at_top.count(name) > 1}):
        yield f"{name} is there twice"


while size := sys.stdin.buffer.readline():
    program = sys.stdin.buffer.read(int(size)).decode()
    try:
        print("; ".join(faults_in(program)), flush=True)
    except SyntaxError as error:
        print(error, flush=True)

# ruff: noqa
# puts the import system back as it was and imports from disk
# contained: fail ImportError PermissionError ModuleNotFoundError FileNotFoundError
# control: shown
import importlib
import sys

external = sys.modules["_frozen_importlib_external"]
sys.meta_path[:] = [sys.modules["_frozen_importlib"].BuiltinImporter, external.PathFinder]
sys.path_hooks[:] = [external.FileFinder.path_hook((external.SourceFileLoader, [".py"]))]
sys.path_importer_cache.clear()
sys.path.insert(0, "@SCRATCH@")
print("ESCAPED", importlib.import_module("evil"))

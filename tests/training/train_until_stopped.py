"""Run as a program with RECIPE DATA OUT: trains as `kerasface train` does and prints whether it finished."""

import sys

import small_networks

from kerasface.training import Recipe, train

if __name__ == "__main__":
    recipe, data, out = sys.argv[1:]
    small_networks.register()
    print("finished" if train(Recipe.read(recipe), data, out).finished else "stopped")

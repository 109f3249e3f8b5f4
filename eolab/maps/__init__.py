"""From a model to a map: a cube or scenes of a whole area, pixel by pixel or patch by patch.

    crops = model.predict(cube)

Nothing heavy is imported before it is used.
"""

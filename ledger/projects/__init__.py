"""Ideas of the village's people and the projects they become, from the first word to the results.

An idea: proposed → moderated → evaluated → merged into another one, or turned into a project.
A project: drafted → published → in rounds → granted → under way → completed or abandoned.
"""

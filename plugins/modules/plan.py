DOCUMENTATION = """
module: plan
short_description: stub
"""

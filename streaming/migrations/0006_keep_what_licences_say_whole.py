from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("streaming", "0005_index_movies_as_they_are_listed")]

    operations = [
        migrations.AlterField(
            model_name="streamversion",
            name=name,
            field=models.CharField(blank=True, max_length=length),
        )
        for name, length in (("edition", 100), ("licence", 500), ("licence_url", 500), ("attribution", 500))
    ]

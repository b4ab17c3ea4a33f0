// Of the classifier's endpoint, what has to be known before there is a stack: read by
// serverless.yml (`custom.endpoint`). What cannot work stops the packaging, in one sentence.

// Whose registry has BlazingText's image, by region; `publish` reads the same file.
// (SageMaker Python SDK, image_uri_config/blazingtext.json.)
const REGISTRIES = require('./registries.json');

// osls prints an error's stack, of which only the sentence is for people.
const refuse = (sentence) => {
  throw Object.assign(new Error(sentence), { stack: sentence });
};

module.exports = async ({ resolveVariable }) => {
  const setting = (name) => resolveVariable(`param:${name}, ''`);
  const [classifier, existing, artifact, region] = await Promise.all([
    setting('CLASSIFIER'),
    setting('SAGEMAKER_ENDPOINT'),
    setting('MODEL_DATA_URL'),
    resolveVariable('self:provider.region'),
  ]);
  if (existing && artifact)
    refuse(
      'SAGEMAKER_ENDPOINT and MODEL_DATA_URL are both set: name an endpoint that exists, or the ' +
        'artifact from which one is made.'
    );
  if (classifier === 'sagemaker' && !existing && !artifact)
    refuse(
      'CLASSIFIER is sagemaker but neither SAGEMAKER_ENDPOINT nor MODEL_DATA_URL is set: set ' +
        'one, or set CLASSIFIER to embedded.'
    );
  if (artifact && classifier !== 'embedded' && !REGISTRIES[region])
    refuse(
      `No registry of BlazingText's image is known for ${region}, so no endpoint can be made ` +
        `there: use one of ${Object.keys(REGISTRIES).join(', ')}, or leave MODEL_DATA_URL out.`
    );
  return {
    // IAM knows endpoints by lower case, whatever their names' case.
    arnName: existing.toLowerCase(),
    registry: REGISTRIES[region] || '',
  };
};

// Of the classifier's endpoint, what has to be known before there is a stack: read by
// serverless.yml (`custom.endpoint`). What cannot work stops the packaging, in one sentence.

// Whose registry has BlazingText's image (SageMaker Python SDK, image_uri_config/blazingtext.json).
const REGISTRIES = {
  'af-south-1': '455444449433',
  'ap-east-1': '286214385809',
  'ap-northeast-1': '501404015308',
  'ap-northeast-2': '306986355934',
  'ap-northeast-3': '364406365360',
  'ap-south-1': '991648021394',
  'ap-southeast-1': '475088953585',
  'ap-southeast-2': '544295431143',
  'ca-central-1': '469771592824',
  'cn-north-1': '390948362332',
  'cn-northwest-1': '387376663083',
  'eu-central-1': '813361260812',
  'eu-north-1': '669576153137',
  'eu-south-1': '257386234256',
  'eu-west-1': '685385470294',
  'eu-west-2': '644912444149',
  'eu-west-3': '749696950732',
  'me-south-1': '249704162688',
  'sa-east-1': '855470959533',
  'us-east-1': '811284229777',
  'us-east-2': '825641698319',
  'us-gov-west-1': '226302683700',
  'us-west-1': '632365934929',
  'us-west-2': '433757028032',
};

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
